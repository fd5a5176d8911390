"""The operations by URL. Custom methods are written with a colon (Google AIP-136)."""

from django.urls import path

from delivery.api import dead_letters

urlpatterns = [
    path("dead-letters", dead_letters.DeadLetters.as_view(), name="api-dead-letters"),
    path("dead-letters/groups", dead_letters.Groups.as_view(), name="api-dead-letter-groups"),
    path("dead-letters/<int:target>/<int:seq>", dead_letters.OneLetter.as_view(), name="api-dead-letter"),
    path("dead-letters:redrive", dead_letters.Redrive.as_view(), name="api-redrive"),
    path("dead-letters:discard", dead_letters.Discard.as_view(), name="api-discard"),
    path("dead-letter-jobs/<int:pk>", dead_letters.OneJob.as_view(), name="api-dead-letter-job"),
    path("dead-letter-jobs/<int:pk>:undo", dead_letters.Undo.as_view(), name="api-undo-dead-letters"),
]
