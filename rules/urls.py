"""The pages of rules by URL. Targets and what deletes are in delivery, which knows what is waiting."""

from django.urls import path

from rules.pages import approvals, editor, history, retrying, rules, starting, subscribing

urlpatterns = [
    path("subscribe/", editor.subscribe, name="subscribe"),
    path("rules/subscribe/", subscribing.subscribe_here, name="subscribe-here"),
    path("rules/", rules.rules, name="rules"),
    path("rules/types/", editor.type_options, name="type-options"),
    path("rules/start-count/", starting.start_count, name="start-count"),
    path("rules/retry-words/", retrying.retry_words, name="retry-words"),
    path("rules/<int:pk>/", rules.rule, name="rule"),
    path("rules/<int:pk>/edit/", editor.edit_rule, name="edit-rule"),
    path("rules/<int:pk>/ask/", approvals.ask, name="ask-approval"),
    path("approvals/", approvals.approvals, name="approvals"),
    path("approvals/<path:name>/teams/<slug:slug>/refuse/", approvals.refuse, name="refuse-team"),
    path("approvals/<int:pk>/decide/", approvals.decide, name="decide-approval"),
    path("rules/<int:pk>/switch/", rules.switch_rule, name="switch-rule"),
    path("rules/<int:pk>/duplicate/", rules.duplicate_rule, name="duplicate-rule"),
    path("rules/<int:pk>/history/", history.rule_history, name="rule-history"),
    path("rules/<int:pk>/history/<int:revision>/roll-back/", history.roll_back_rule, name="roll-back-rule"),
    path("rules/<int:pk>/targets/new/", editor.add_target, name="add-target"),
    path("targets/<int:pk>/history/", history.target_history, name="target-history"),
    path(
        "targets/<int:pk>/history/<int:revision>/roll-back/",
        history.roll_back_target,
        name="roll-back-target",
    ),
    path("targets/<int:pk>/edit/", editor.edit_target, name="edit-target"),
]
