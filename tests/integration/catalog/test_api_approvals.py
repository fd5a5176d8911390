"""Approvals of personal data over the API: who sees which, and who answers."""

from __future__ import annotations

import pytest

from catalog import approvals
from catalog.models import Approval, Team, Token
from tests.integration.catalog.calls import call
from tests.integration.catalog.shop import more
from tests.integration.catalog.test_api_event_types import visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def wish(town, colleague):
    """Billing asks for the personal fields of order.placed."""
    billing = Team.objects.create(name="Billing", slug="billing")
    billing.members.add(colleague)
    return approvals.ask(town, billing, "For the address on the invoice.", colleague)


def listed(client, question="", **headers):
    return [one["id"] for one in call(client, "GET", f"/approvals{question}", **headers)["items"]]


def test_an_owner_sees_a_wish_and_grants_it(client, person, town, wish):
    (one,) = call(client, "GET", "/approvals?state=asked")["items"]
    assert (one["event_type"], one["owner"], one["team"]) == ("order.placed", "checkout", "billing")
    assert (one["reason"], one["asked_by"]) == ("For the address on the invoice.", "lena")
    said = {"state": "granted", "answer": "For invoices alone."}
    granted = call(client, "PUT", f"/approvals/{wish.pk}", said)
    assert (granted["state"], granted["answer"], granted["decided_by"]) == (*said.values(), "mara")
    assert call(client, "GET", f"/approvals/{wish.pk}") == granted
    assert listed(client, "?state=asked") == []


def test_a_refusal_needs_an_answer_and_tells_who_listens(client, person, town, wish):
    heard = []

    def hear(sender, approval, **kwargs):
        heard.append(approval.state)

    approvals.decided.connect(hear)
    try:
        for body in ({"state": "refused"}, {"state": "refused", "answer": "  "}):
            problem = call(client, "PUT", f"/approvals/{wish.pk}", body, 422)
            assert [one["pointer"] for one in problem["errors"]] == ["/answer"]
        assert heard == []
        call(client, "PUT", f"/approvals/{wish.pk}", {"state": "refused", "answer": "Ask legal first."})
    finally:
        approvals.decided.disconnect(hear)
    assert heard == [Approval.State.REFUSED]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "/state"),
        ({"state": "asked"}, "/state"),
        ({"state": "granted", "answer": "x" * 501}, "/answer"),
        ({"state": "granted", "why": "x"}, "/why"),
    ],
)
def test_what_is_no_answer_is_refused_at_its_place(client, person, town, wish, body, place):
    problem = call(client, "PUT", f"/approvals/{wish.pk}", body, 422)
    assert place in [one["pointer"] for one in problem["errors"]]
    wish.refresh_from_db()
    assert wish.state == Approval.State.ASKED


def test_who_asked_sees_the_wish_and_cannot_grant_it(client, town, wish, colleague):
    client.force_login(colleague)
    assert listed(client) == [wish.pk]
    call(client, "PUT", f"/approvals/{wish.pk}", {"state": "granted"}, 403)


def test_a_stranger_sees_none(client, town, wish):
    visitor(client, "view_eventtype", "change_eventtype")
    assert listed(client) == []
    call(client, "GET", f"/approvals/{wish.pk}", status=404)
    call(client, "PUT", f"/approvals/{wish.pk}", {"state": "granted"}, 404)


def test_a_token_sees_those_of_its_team(client, town, wish):
    others = Team.objects.create(name="Parcels", slug="parcels")
    for team, found in ((town.team, [wish.pk]), (wish.team, [wish.pk]), (others, [])):
        _, text = Token.issue(name="build", team=team, reads=True)
        assert listed(client, Authorization=f"Bearer {text}") == found, team
    _, text = Token.issue(name="build", team=town.team, reads=True)
    call(client, "PUT", f"/approvals/{wish.pk}", {"state": "granted"}, 403, Authorization=f"Bearer {text}")


def test_the_list_is_narrowed(client, person, town, wish):
    (other,) = more(town, "order.paid")
    second = approvals.ask(other, wish.team, "For dunning.", person)
    assert listed(client) == [second.pk, wish.pk]
    assert listed(client, "?event_type=order.paid") == [second.pk]
    assert listed(client, "?team=billing&limit=1") == [second.pk]
    assert listed(client, "?team=checkout") == []
    call(client, "GET", "/approvals?state=maybe", status=422)


def test_an_answer_to_what_changed_meanwhile_is_not_taken(client, person, town, wish):
    etag = client.get(f"/api/v1/approvals/{wish.pk}")["ETag"]
    approvals.ask(town, wish.team, "For something else.", person)
    call(client, "PUT", f"/approvals/{wish.pk}", {"state": "granted"}, 412, **{"If-Match": etag})
