"""The catalog's operations by URL. Custom methods are written with a colon (Google AIP-136)."""

from django.urls import path

from catalog.api import (
    approvals,
    audit,
    changes,
    docs,
    drafts,
    event_types,
    lifecycles,
    members,
    openapi,
    owners,
    places,
    retirements,
    versions,
    wanted,
)
from catalog.api.checks import CheckCompatibility, CheckSchema

urlpatterns = [
    path("teams", owners.Teams.as_view(), name="api-teams"),
    path("teams/<slug:slug>", owners.OneTeam.as_view(), name="api-team"),
    path("domains", owners.Domains.as_view(), name="api-domains"),
    path("domains/<slug:slug>", owners.OneDomain.as_view(), name="api-domain"),
    path("buses", places.Buses.as_view(), name="api-buses"),
    path("buses/<str:name>", places.OneBus.as_view(), name="api-bus"),
    path("buses/<str:name>/lifecycle", retirements.BusLifecycle.as_view(), name="api-bus-lifecycle"),
    path("sources", places.Sources.as_view(), name="api-sources"),
    path("sources/<slug:slug>", places.OneSource.as_view(), name="api-source"),
    path("sources/<slug:slug>/lifecycle", retirements.SourceLifecycle.as_view(), name="api-source-lifecycle"),
    path("event-types", event_types.EventTypes.as_view(), name="api-event-types"),
    # Names of event types may hold slashes, so what follows a name must be matched before the name alone.
    path("event-types/<path:name>/versions", versions.Versions.as_view(), name="api-versions"),
    path("event-types/<path:name>/versions/<int:number>", versions.OneVersion.as_view(), name="api-version"),
    path(
        "event-types/<path:name>/versions/<int:number>/lifecycle",
        lifecycles.VersionLifecycle.as_view(),
        name="api-version-lifecycle",
    ),
    path("event-types/<path:name>/lifecycle", lifecycles.TypeLifecycle.as_view(), name="api-lifecycle"),
    path("event-types/<path:name>", event_types.OneEventType.as_view(), name="api-event-type"),
    path("schemas:check", CheckSchema.as_view(), name="api-check-schema"),
    path("compatibility:check", CheckCompatibility.as_view(), name="api-check-compatibility"),
    path("drafts", drafts.Drafts.as_view(), name="api-drafts"),
    path("drafts/<int:pk>", drafts.OneDraft.as_view(), name="api-draft"),
    path("approvals", approvals.Approvals.as_view(), name="api-approvals"),
    path("approvals/<int:pk>", approvals.OneApproval.as_view(), name="api-approval"),
    path("changes", changes.Changes.as_view(), name="api-changes"),
    path("wanted", wanted.AllWanted.as_view(), name="api-wanted"),
    path("wanted/<int:pk>/voice", wanted.Voice.as_view(), name="api-voice"),
    path("members", members.Members.as_view(), name="api-members"),
    path("members/<str:name>", members.OneMember.as_view(), name="api-member"),
    path("audit", audit.Audit.as_view(), name="api-audit"),
    path("docs/", docs.api_docs, name="api-docs"),
    path("openapi.json", openapi.OpenApiJson.as_view(), name="api-openapi-json"),
    path("openapi.yaml", openapi.OpenApiYaml.as_view(), name="api-openapi-yaml"),
]
