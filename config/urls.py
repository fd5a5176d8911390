"""Every page and operation by its URL."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include("catalog.api.urls")),
    path("api/v1/", include("delivery.api.urls")),
    # Last of the API: it answers for whatever else is asked.
    path("api/v1/", include("rules.api.urls")),
    path("", include("catalog.urls")),
    path("", include("rules.urls")),
    path("", include("delivery.urls")),
]
