from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "catalog"
    verbose_name = "Catalog"

    def ready(self) -> None:
        from catalog import changes, indexing, stamps, wanted

        stamps.connect()
        indexing.connect()
        changes.connect()
        wanted.connect()
