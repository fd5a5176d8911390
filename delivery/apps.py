from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DeliveryConfig(AppConfig):
    name = "delivery"
    verbose_name = "Delivery"

    def ready(self) -> None:
        """Tells the rooms below what they may ask for: connectors, facts of the log, counts of the rail."""
        from catalog import facts, navigation
        from delivery import audited, owning
        from delivery.bins.found import ICON
        from delivery.deadletters import listing
        from delivery.pages import palette, registration
        from delivery.pages.past import LogPast
        from delivery.tracking.facts import log_facts
        from delivery.tracking.stored import LogStored
        from rules import past, registry
        from rules.api import stored
        from rules.models import Rule, Target

        facts.register(log_facts)
        past.register(LogPast())
        registration.register_connectors()
        registry.register_place(
            registry.Place(
                "bin",
                _("A request bin"),
                ICON,
                _("Made for you now. It takes everything and shows what it received."),
                registration.make_bin,
                registration.find_bin,
            )
        )
        registry.register_starting(registration.StartInThePast())
        stored.register(LogStored())
        navigation.count("rules", Rule.objects.count)
        navigation.count("targets", Target.objects.count)
        navigation.count("dead-letters", listing.count)
        palette.connect()
        audited.connect()
        owning.connect()
