"""The pages of delivery by URL; those of rules' targets are here, where one knows what waits for them."""

from django.urls import path

from delivery.demo import views as demo
from delivery.pages import affected, bins, dead_letters, journey, map, overview, preview, targets, trial

urlpatterns = [
    path("map/", map.whole_map, name="map"),
    path("map/find/", map.find_on_map, name="map-find"),
    path("map/map.svg", map.map_as_svg, name="map-svg"),
    path("deliveries/", overview.deliveries, name="deliveries"),
    path("deliveries/tail/", overview.tail, name="tail"),
    path("deliveries/wire/", overview.wire, name="wire"),
    path("find/", overview.find, name="find"),
    path("journey/<int:seq>/", journey.event_journey, name="journey"),
    path("journey/<int:seq>/event.json", journey.raw_event, name="raw-event"),
    path("dead-letters/", dead_letters.dead_letters, name="dead-letters"),
    path("dead-letters/jobs/", dead_letters.jobs, name="dead-letter-jobs"),
    path("dead-letters/jobs/<int:pk>/undo/", dead_letters.undo, name="undo-dead-letters"),
    path("dead-letters/later/", dead_letters.later, name="later"),
    path("dead-letters/redrive/", dead_letters.redrive, name="redrive"),
    path("dead-letters/discard/", dead_letters.discard, name="discard"),
    path("rules/preview/", preview.preview, name="preview"),
    path("rules/affected/", affected.affected_by_version, name="affected-by-version"),
    path("rules/trial/", trial.trial, name="trial"),
    path("rules/<int:pk>/targets/", overview.rule_targets, name="rule-targets"),
    path("rules/<int:pk>/delete/", targets.delete_rule, name="delete-rule"),
    path("targets/", targets.targets, name="targets"),
    path("targets/<int:pk>/", targets.target, name="target"),
    path("targets/<int:pk>/pause/", targets.pause, name="pause-target"),
    path("targets/<int:pk>/resume/", targets.resume, name="resume-target"),
    path("targets/<int:pk>/dead-letters/", targets.send_dead_letters, name="send-dead-letters"),
    path("targets/<int:pk>/catching-up/", targets.catching_up, name="catching-up"),
    path("targets/<int:pk>/stop-catching-up/", targets.stop_catching_up, name="stop-catching-up"),
    path("targets/<int:pk>/delete/", targets.delete_target, name="delete-target"),
    path("bins/", bins.bins, name="bins"),
    path("bins/<int:pk>/", bins.request_bin, name="bin"),
    path("bins/<int:pk>/empty/", bins.empty_bin, name="empty-bin"),
    path("bins/<int:pk>/delete/", bins.delete_bin, name="delete-bin"),
    path("welcome/", demo.welcome, name="welcome"),
    path("demo/generator/", demo.generator, name="demo-generator"),
    path("demo/token/", demo.renew, name="demo-token"),
]
