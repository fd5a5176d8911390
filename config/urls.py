"""Every page and operation by its URL."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include("catalog.api.urls")),
    path("api/v1/", include("rules.api.urls")),
    path("", include("catalog.urls")),
    path("", include("rules.urls")),
    path("", include("delivery.urls")),
]
