"""What a dead letter keeps of its request, what changed since, and what of it and its reason is hidden from whom."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from catalog.models import EventType
from delivery.tracking.read import rows
from delivery.tracking.words import EXPIRED, Outcome, State
from rules.models import Target
from rules.revisions import save_target, set_state
from tests.integration import rows as write
from tests.integration.deliveries.billing import order, refuse, text

# The log commits by itself, so its rows are not undone with a test's transaction.
pytestmark = pytest.mark.django_db(transaction=True)
SAID = "It answers 422: customer Anna Berg is unknown."


def refused(town: SimpleNamespace, request: dict[str, object] | None = None, reason: str = SAID) -> int:
    seq = order(town)
    write.attempt(
        town.billing.pk, seq, Outcome.REJECTED, status=422, reason=reason, response='{"who": "Anna Berg"}'
    )
    kept = json.dumps(request) if request is not None else None
    write.hold(town.billing.pk, seq, State.DEAD, reason=reason, request=kept, response='{"who": "Anna Berg"}')
    write.pass_cursor(town.billing.pk, seq)
    return seq


def was_sent(town: SimpleNamespace, ref: str = "order-88190") -> dict[str, object]:
    body = json.dumps({"ref": ref})
    return {"whole": False, "revision": town.billing.revision, "attempt": 1, "at": write.now(),
            "content_type": "application/json", "body": body}  # fmt: skip


@pytest.fixture
def outsider(town: SimpleNamespace) -> Client:
    """May look at targets, and belongs to no team."""
    person = get_user_model().objects.create_user("otto", password="x")
    person.user_permissions.set(
        Permission.objects.filter(codename__in=("view_target", "view_rule", "change_target"))
    )
    EventType.objects.filter(name="order.placed").update(personal=["ref"])
    client = Client()
    client.force_login(person)
    return client


def pages(town: SimpleNamespace, seq: int) -> tuple[str, ...]:
    return f"/journey/{seq}/?target={town.billing.pk}", f"/dead-letters/{town.billing.pk}/{seq}/"


def test_the_request_as_it_was_sent_is_shown_though_the_target_changed(
    someone: Client, town: SimpleNamespace
) -> None:
    seq = refused(town, was_sent(town))
    for page in pages(town, seq):
        shown = text(someone.get(page))
        assert "order-88190" in shown
        assert "POST http://127.0.0.1:8999/hook" in shown or "/hook" in shown
        assert "a redrive would send the same" in shown
        assert "s3cret" not in shown
    town.billing.config = {"url": "http://127.0.0.1:8999/v2", "headers": {"X-Team": "billing"}}
    town.billing.transform = {"kind": "template", "template": '{"reference": "${data.ref}"}'}
    save_target(town.billing)
    for page in pages(town, seq):
        shown = text(someone.get(page))
        assert "by revision 1 of the target" in shown
        assert "<del>POST" in shown or "<del>" in shown
        assert "/v2" in shown
        assert "x-team" in shown
        assert "What a redrive would send now" in shown
        # The one kept, and the one of now.
        assert "&quot;ref&quot;" in shown or '"ref"' in shown or ">ref<" in shown
        assert "reference" in shown
        assert "s3cret" not in shown
    found = someone.get(f"/api/v1/dead-letters/{town.billing.pk}/{seq}").json()
    assert json.loads(found["sent"]["body"]) == {"ref": "order-88190"}
    assert json.loads(found["now"]["body"]) == {"reference": "order-88190"}
    assert found["changed"][0] == "Address"
    assert "Body" in found["changed"]
    assert "/hook" in found["sent"]["line"]
    assert "/v2" in found["now"]["line"]


def test_the_kept_body_is_shown_not_what_the_transform_makes_of_the_event(
    someone: Client, town: SimpleNamespace
) -> None:
    seq = refused(town, was_sent(town, ref="as it was then"))
    for page in pages(town, seq):
        assert "as it was then" in text(someone.get(page))


def test_an_event_that_went_as_it_is_and_one_of_before_are_shown_too(
    someone: Client, town: SimpleNamespace
) -> None:
    whole = refused(town, {"whole": True, "revision": 1, "attempt": 1, "at": write.now()})
    before = refused(town, {"whole": False, "content_type": "text/plain", "body": "of before"})
    for page in pages(town, whole):
        assert "currency" in text(someone.get(page))
    for page in pages(town, before):
        assert "of before" in text(someone.get(page))


def test_what_was_never_sent_says_so(someone: Client, town: SimpleNamespace) -> None:
    seq = order(town)
    write.hold(town.billing.pk, seq, State.DEAD, reason=f"{EXPIRED} It waited.", status=None, attempts=0)
    write.pass_cursor(town.billing.pk, seq)
    journey, letter = (text(someone.get(page)) for page in pages(town, seq))
    assert "Nothing was sent" in letter
    assert "It expired before Billing could take it." in journey
    assert someone.get(f"/api/v1/dead-letters/{town.billing.pk}/{seq}").json()["sent"] is None
    assert someone.get(f"/dead-letters/{town.billing.pk}/{seq + 1}/").status_code == 404
    assert f"/dead-letters/{town.billing.pk}/{seq}/" in text(someone.get("/dead-letters/?view=list"))
    assert f"/dead-letters/{town.billing.pk}/{seq}/" in text(someone.get("/dead-letters/"))


def test_reasons_that_may_quote_personal_data_are_hidden_from_those_who_may_not_see_it(
    someone: Client, outsider: Client, town: SimpleNamespace
) -> None:
    seq = refused(town, was_sent(town))
    target = town.billing.pk
    places = [
        "/dead-letters/", "/dead-letters/?view=list", f"/targets/{target}/", *pages(town, seq),
        "/api/v1/dead-letters", "/api/v1/dead-letters/groups", f"/api/v1/dead-letters/{target}/{seq}",
    ]  # fmt: skip
    for place in places:
        answer = outsider.get(place)
        assert answer.status_code == 200, place
        assert "Anna" not in text(answer), place
        assert "order-88190" not in text(answer), place
    assert "It answers 422. What it said is hidden" in text(outsider.get("/dead-letters/"))
    for place in (*places[:4], *places[5:]):
        assert "Anna Berg" in text(someone.get(place)), place
    # Everybody sees the same page of deliveries, so it quotes nothing that may be personal.
    assert "has not taken 1 event" in text(someone.get("/deliveries/"))
    assert "Anna" not in text(someone.get("/deliveries/"))


def test_a_group_is_redriven_by_who_may_not_see_its_reason(outsider: Client, town: SimpleNamespace) -> None:
    refused(town, was_sent(town))
    from delivery.deadletters import listing

    [group] = listing.groups()
    outsider.post(f"/dead-letters/redrive/?target={town.billing.pk}&group={group.id}", {"out_of_order": "1"})
    assert rows("SELECT state FROM runner_exception") == [(int(State.RETRY),)]


def test_a_search_in_reasons_finds_nothing_that_is_hidden(
    someone: Client, outsider: Client, town: SimpleNamespace
) -> None:
    refused(town, was_sent(town))
    for place in ("/api/v1/dead-letters?text=anna", "/api/v1/dead-letters/groups?text=anna"):
        assert outsider.get(place).json()["items"] == []
        assert len(someone.get(place).json()["items"]) == 1
    assert "order.placed" not in text(outsider.get("/dead-letters/?q=anna&view=list"))
    assert "order.placed" in text(someone.get("/dead-letters/?q=anna&view=list"))


@pytest.mark.parametrize("said", ["stop", "breaker"])
def test_why_a_target_does_not_get_on_is_hidden_likewise(
    someone: Client, outsider: Client, town: SimpleNamespace, said: str
) -> None:
    order(town)
    if said == "stop":
        set_state(town.billing, Target.State.STOPPED, "It answers 401: no access for Anna Berg.")
    else:
        write.execute(
            "INSERT INTO runner_gate (target, opened_at, probe_at, reason) VALUES (%s, %s, %s, %s)",
            town.billing.pk, write.now(), write.now() + 10**7, "It answers 503: Anna Berg again?",
        )  # fmt: skip
    page = f"/targets/{town.billing.pk}/"
    assert "Anna" not in text(outsider.get(page))
    assert "What it said is hidden" in text(outsider.get(page))
    assert "Anna Berg" in text(someone.get(page))
    assert "Anna" not in text(someone.get("/deliveries/"))


def test_where_nothing_is_personal_reasons_are_shown(someone: Client, town: SimpleNamespace) -> None:
    refuse(town)
    assert "invoice_ref is longer" in text(someone.get("/deliveries/"))
    assert "invoice_ref is longer" in text(someone.get("/dead-letters/"))
