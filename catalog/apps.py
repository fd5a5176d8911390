from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "catalog"
    verbose_name = "Catalog"

    def ready(self) -> None:
        from catalog import changes, indexing, owning, stamps, wanted
        from catalog.audit import objects, signing_in
        from catalog.palette import kinds

        stamps.connect()
        indexing.connect()
        changes.connect()
        wanted.connect()
        kinds.connect()
        owning.connect()
        objects.connect()
        signing_in.connect()
