"""The catalog's pages by URL."""

from django.urls import path

from catalog.pages import (
    checking,
    drafts,
    event_types,
    marketplace,
    pasting,
    publish,
    registering,
    settings,
    setup,
    sign_in,
    sources,
    wanted,
)

urlpatterns = [
    path("", marketplace.marketplace, name="marketplace"),
    path("sign-in/", sign_in.sign_in, name="sign-in"),
    path("sign-out/", sign_in.sign_out, name="sign-out"),
    path("setup/", setup.waiting, name="setup"),
    path("setup/<str:token>/", setup.first_administrator, name="setup-link"),
    path("wanted/", wanted.wanted, name="wanted"),
    path("wanted/<int:pk>/join/", wanted.join, name="join-wanted"),
    # Names of event types may hold slashes, so what follows a name must be matched before the name alone.
    path("events/new/", registering.register, name="register-type"),
    path("events/new/check/", checking.check_name, name="check-type-name"),
    path("events/new/schema/", checking.check_schema, name="check-schema"),
    path("events/new/example/", checking.another_example, name="another-example"),
    path("events/new/docs/", checking.preview_docs, name="preview-docs"),
    path("events/new/tags/", checking.suggest_tags, name="suggest-tags"),
    path("events/new/paste/", pasting.paste, name="paste"),
    path("events/new/import/<int:pk>/", pasting.import_run, name="import-run"),
    path("drafts/", drafts.drafts, name="drafts"),
    path("drafts/<int:pk>/delete/", drafts.delete_draft, name="delete-draft"),
    path("events/<path:name>/publish/", publish.publish, name="publish"),
    path("events/<path:name>/edit/", registering.edit, name="edit-type"),
    path("events/<path:name>/delete/", event_types.delete, name="delete-type"),
    path("events/<path:name>/versions/new/check/", checking.check_version, name="check-version"),
    path("events/<path:name>/versions/new/", registering.register_version, name="register-version"),
    path("events/<path:name>/", event_types.event_type, name="event-type"),
    path("sources/", sources.sources, name="sources"),
    path("sources/new/", sources.register, name="register-source"),
    path("sources/<slug:slug>/", sources.source, name="source"),
    path("sources/<slug:slug>/edit/", sources.edit, name="edit-source"),
    path("settings/tokens/", settings.tokens, name="tokens"),
    path("settings/tokens/<int:pk>/revoke/", settings.revoke_token, name="revoke-token"),
    path("settings/buses/", settings.buses, name="buses"),
    path("settings/buses/new/", settings.new_bus, name="new-bus"),
    path("settings/buses/<str:name>/", settings.bus, name="bus"),
]
