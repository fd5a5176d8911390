"""The catalog's pages by URL."""

from django.urls import path

from catalog.pages import (
    changes,
    event_types,
    following,
    marketplace,
    publish,
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
    path("changes/", changes.changes, name="changes"),
    path("changes.atom", changes.atom, name="changes-atom"),
    path("following/", following.following, name="following"),
    path("following/follow/", following.follow, name="follow"),
    path("following/feed/", following.feed_key, name="feed-key"),
    path("following/mail/", following.mail_address, name="mail-address"),
    # Names of event types may hold slashes, so what follows a name must be matched before the name alone.
    path("events/new/", event_types.register, name="register-type"),
    path("events/new/check/", event_types.check_name, name="check-type-name"),
    path("events/<path:name>/publish/", publish.publish, name="publish"),
    path("events/<path:name>/edit/", event_types.edit, name="edit-type"),
    path("events/<path:name>/delete/", event_types.delete, name="delete-type"),
    path("events/<path:name>/versions/new/", event_types.register_version, name="register-version"),
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
