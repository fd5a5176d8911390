from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "catalog"
    verbose_name = "Catalog"

    def ready(self) -> None:
        from catalog import changes, indexing, stamps, wanted
        from catalog.palette import kinds

        stamps.connect()
        indexing.connect()
        changes.connect()
        wanted.connect()
        kinds.connect()
