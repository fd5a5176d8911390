from django.apps import AppConfig


class RulesConfig(AppConfig):
    name = "rules"
    verbose_name = "Rules"

    def ready(self) -> None:
        from catalog import navigation
        from catalog.approvals import to_decide
        from rules import approving, audited, owning, palette

        approving.connect()
        palette.connect()
        audited.connect()
        owning.connect()
        navigation.count_for("approvals", lambda user: to_decide(user).count())
