"""The operations by URL. Custom methods are written with a colon (Google AIP-136): nothing is made or changed."""

from django.urls import path

from catalog.api.operation import Elsewhere
from rules.api.patterns import ExplainPattern, TestPattern
from rules.api.transforms import ConvertTransform, PreviewTransform

urlpatterns = [
    path("patterns:test", TestPattern.as_view(), name="api-test-pattern"),
    path("patterns:explain", ExplainPattern.as_view(), name="api-explain-pattern"),
    path("transforms:preview", PreviewTransform.as_view(), name="api-preview-transform"),
    path("transforms:convert", ConvertTransform.as_view(), name="api-convert-transform"),
    path("<path:rest>", Elsewhere.as_view(), name="api-elsewhere"),
]
