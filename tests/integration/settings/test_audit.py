"""The audit log: what a record says, that it never changes, secrets, filters, paging, export, retention, who may look."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import DatabaseError, connection, transaction
from django.test import AsyncClient, Client
from django.utils import timezone

from catalog.audit import signing_in
from catalog.audit.acting import current
from catalog.audit.keeping import drop_old
from catalog.models import AuditRecord, Profile, Token, Unchangeable
from rules.models import Target
from tests.integration.catalog.calls import call
from tests.integration.catalog.shop import text_of

pytestmark = pytest.mark.django_db
AUDIT = "/settings/audit/"


def record(**fields):
    """A record as if somebody had done something."""
    made = {
        "by": "mara",
        "via": "console",
        "action": "changed",
        "kind": "team",
        "key": "shop",
        "name": "Shop",
    }
    return AuditRecord.objects.create(**(made | fields))


def last():
    return AuditRecord.objects.order_by("id").last()


def test_a_record_says_who_what_and_what_it_was_before(client, town):
    client.post("/settings/teams/by-slug/shop/", {"name": "Checkout"}, REMOTE_ADDR="192.0.2.7")
    found = last()
    assert (found.by, found.via, found.address, found.action) == ("mara", "console", "192.0.2.7", "changed")
    assert (found.kind, found.key, found.name) == ("team", "shop", "Checkout")
    assert (found.before, found.after) == ({"name": "Shop"}, {"name": "Checkout"})
    page = text_of(client.get(AUDIT))
    assert "changed team Checkout" in page
    assert "before: Shop" in page
    assert 'href="/settings/teams/by-slug/shop/"' in client.get(AUDIT).content.decode()


def test_what_did_not_change_leaves_no_record(client, town):
    client.post("/settings/teams/by-slug/shop/", {"name": "Shop"})
    client.post("/settings/teams/by-slug/shop/", {"name": "Billing"})
    assert not AuditRecord.objects.exists()
    assert current() is None


def test_a_relation_is_told_by_its_name_and_members_by_theirs(client, town):
    client.post("/settings/teams/by-slug/billing/members/", {"member": "lena", "do": "add"})
    assert (last().key, last().before, last().after) == ("billing", {}, {"members": ["lena"]})
    client.post(
        "/sources/shop/edit/",
        {"name": "Shop", "uri": "/shop/checkout", "bus": town.bus.pk, "team": town.other.pk},
    )
    assert (last().before, last().after) == ({"team": "Shop"}, {"team": "Billing"})
    client.post(
        "/settings/members/by-name/lena/", {"role": "editor", "name": "", "email": "lena@example.com"}
    )
    taken = AuditRecord.objects.filter(kind="team", key="shop").first()
    assert (taken.before, taken.after) == ({"members": ["lena"]}, {})


def test_no_secret_is_in_the_log_and_its_change_is(client, town, lena):
    def edit(**config):
        sent = {
            "config-http-url": "http://127.0.0.1:8999/hook", "config-http-headers": "Authorization: Bearer n3w",
            "config-http-method": "POST", "deliver": "connector:http", "target-name": "Billing", "send": "complete",
            "do": "save",
        }  # fmt: skip
        assert client.post(f"/targets/{town.target.pk}/edit/", sent | config).status_code == 302

    edit()
    edit(**{"config-http-headers": "Authorization: Bearer 0ther"})
    client.post(f"/targets/{town.target.pk}/signing/", {"kind": "hmac", "overlap": 0})
    keys = Target.objects.get(pk=town.target.pk).config["signing_keys"]
    client.post("/settings/tokens/", {"name": "new", "team": town.team.pk, "bus": town.bus.pk})
    client.post("/settings/members/by-name/lena/link/")
    client.post("/settings/members/new/", {"username": "jonas", "role": "reader", "name": "", "email": ""})
    Client().post("/sign-in/", {"username": "lena", "password": "wr0ng-one"})
    client.post(
        "/profile/password/",
        {"old_password": "signal-box-9", "new_password1": "other-box-10", "new_password2": "other-box-10"},
    )
    found = Target.objects.get(pk=town.target.pk)
    Target.objects.update(config=found.config | {"url": "http://robot:p4ss@127.0.0.1:8999/hook"})
    client.post(f"/rules/{town.rule.pk}/delete/")
    hidden = ["s3cret", "n3w", "0ther", "p4ss", "wr0ng-one", "other-box-10", "signal-box-9", *keys.values()]
    hidden += [digest for digest in Profile.objects.values_list("link_digest", flat=True) if digest]
    hidden += [bytes(token.digest).hex() for token in Token.objects.all()]
    shown = [
        *(
            json.dumps([one.before, one.after, one.note, one.name, one.key])
            for one in AuditRecord.objects.all()
        ),
        client.get(AUDIT).content.decode(),
        b"".join(client.get(AUDIT + "export.csv").streaming_content).decode(),
        json.dumps(call(client, "get", "/audit")),
    ]
    for text in shown:
        for secret in hidden:
            assert secret not in text, secret
    changed = AuditRecord.objects.filter(
        kind="target", after__has_key="config.headers", action="changed"
    ).first()
    assert changed.before["config.headers"] == changed.after["config.headers"] == {"Authorization": "••••"}
    assert "changed, not shown" in text_of(client.get(f"{AUDIT}?kind=target"))


def test_without_its_connector_nothing_of_a_targets_settings_is_told(client, town):
    Target.objects.filter(pk=town.target.pk).update(
        connector="gone", config={"password": "s3cret", "url": "https://u:s3cret@h/"}
    )
    client.post(f"/targets/{town.target.pk}/delete/")
    assert last().before["config.url"] == "••••"
    assert "s3cret" not in json.dumps(last().before)


def test_a_record_never_changes(town):
    one = record()
    one.name = "Other"
    for change in (
        one.save,
        one.delete,
        AuditRecord.objects.all().delete,
        lambda: AuditRecord.objects.update(name="Other"),
    ):
        with pytest.raises(Unchangeable):
            change()
    with (
        pytest.raises(DatabaseError, match="never changes"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE catalog_auditrecord SET by = 'nobody'")
    assert AuditRecord.objects.get().by == "mara"


def test_a_change_that_fails_leaves_no_record(client, town, monkeypatch):
    from catalog import changes

    def fails(*args, **kwargs):
        raise RuntimeError("no disk")

    monkeypatch.setattr(changes, "record", fails)
    client.raise_request_exception = False
    answer = client.post("/settings/buses/new/", {"name": "second", "retention_days": 30, "description": ""})
    assert answer.status_code == 500
    assert not AuditRecord.objects.exists()
    assert current() is None


def test_signing_in_and_failing_to_are_recorded(client, lena):
    signing_in.flood = signing_in.Flood()
    guest = Client(REMOTE_ADDR="192.0.2.9")
    guest.post("/sign-in/", {"username": "lena", "password": "guess"})
    assert (last().action, last().by, last().key, last().address) == ("refused", "", "lena", "192.0.2.9")
    guest.post("/sign-in/", {"username": "hunter2-typed-here", "password": "x"})
    assert (last().key, last().name) == ("", "unknown name")
    guest.post("/sign-in/", {"username": "lena", "password": "signal-box-9"})
    assert (last().action, last().by) == ("signed-in", "lena")
    guest.post("/sign-out/")
    assert (last().action, last().by) == ("signed-out", "lena")
    lena.is_active = False
    lena.save()
    guest.post("/sign-in/", {"username": "lena", "password": "signal-box-9"})
    assert last().action == "refused"


def test_a_flood_of_failures_is_counted_and_not_written(client, db):
    flood = signing_in.Flood(2)
    assert [flood.take(at) for at in (0, 1, 2, 3, 59, 61, 62)] == [0, 0, None, None, None, 3, 0]
    signing_in.flood = signing_in.Flood(2)
    get_user_model().objects.create_user("somebody")
    for _ in range(5):
        client.post("/sign-in/", {"username": "lena", "password": "guess"})
    assert AuditRecord.objects.filter(action="refused").count() == 2
    signing_in.flood = signing_in.Flood()


def test_each_filter_narrows_and_nonsense_is_told(client, town):
    now = timezone.now()
    record(by="lena", kind="rule", key="9", name="R", action="enabled", at=now - timedelta(days=3))
    record(by="mara", kind="bus", key="main", name="main", at=now - timedelta(days=40))
    record(by="mara", kind="team", key="shop", name="Shop")

    def names(query):
        return [line.record.name for line in client.get(f"{AUDIT}?{query}").context["lines"]]

    assert names("") == ["Shop", "main", "R"]
    assert names("by=lena") == ["R"]
    assert names("kind=bus") == ["main"]
    assert names("kind=team&key=shop") == ["Shop"]
    assert names("action=enabled") == ["R"]
    assert names("range=24h") == ["Shop"]
    assert names("range=7d") == ["Shop", "R"]
    day = (now - timedelta(days=3)).date().isoformat()
    assert names(f"from={day}&to={day}") == ["R"]
    assert names(f"to={(now - timedelta(days=30)).strftime('%Y-%m-%dT%H:%M')}") == ["main"]
    assert "Nothing fits." in text_of(client.get(f"{AUDIT}?by=nobody"))
    for wrong in (
        "kind=car",
        "action=flown",
        "range=9y",
        "from=yesterday",
        "to=2026-99-01",
        "from=2026-02-01&to=2026-01-01",
    ):
        answer = client.get(f"{AUDIT}?{wrong}")
        assert answer.context["lines"] == [], wrong
        assert "Something in the filter is not understood." in text_of(answer)
        assert call(client, "get", f"/audit?{wrong}", status=422)
        assert client.get(f"{AUDIT}export.csv?{wrong}").status_code == 422
    assert client.get(f"{AUDIT}?by=%00&before=x").status_code == 200


def test_a_page_goes_on_where_the_one_before_ended(client, town):
    for number in range(120):
        record(name=f"n{number}", by="mara" if number % 2 else "lena")
    page, seen = client.get(f"{AUDIT}?by=mara"), []
    while True:
        seen += [line.record.name for line in page.context["lines"]]
        if page.context["next"] is None:
            break
        page = client.get(f"{AUDIT}?by=mara&before={page.context['next']}")
    assert seen == [f"n{number}" for number in range(119, 0, -2)]
    assert "Newest" in text_of(page)


def test_the_export_has_all_that_fits_and_no_formula(client, town):
    for number in range(2_100):
        record(name=f"n{number}")
    record(name='=HYPERLINK("http://evil.example")', kind="rule", key="3", before={"a": 1}, note="-1")
    answer = client.get(AUDIT + "export.csv")
    assert answer["Content-Disposition"].startswith('attachment; filename="signalbox-audit-')
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert len(rows) == 2_101
    assert rows[0]["name"] == '\'=HYPERLINK("http://evil.example")'
    assert (rows[0]["before"], rows[0]["note"], rows[0]["by"]) == ('{"a": 1}', "'-1", "mara")
    lines = b"".join(client.get(AUDIT + "export.jsonl?kind=rule").streaming_content).decode().splitlines()
    assert [json.loads(line)["name"] for line in lines] == ['=HYPERLINK("http://evil.example")']
    assert client.get(AUDIT + "export.xlsx").status_code == 404


@pytest.mark.django_db(transaction=True)
async def test_the_export_is_streamed_where_the_server_speaks_asgi(town, mara):
    def fill():
        for number in range(1_200):
            record(name=f"n{number}")

    await sync_to_async(fill)()
    client = AsyncClient()
    await client.aforce_login(mara)
    answer = await client.get(AUDIT + "export.jsonl")
    assert answer.is_async
    parts = [part.decode() async for part in answer.streaming_content]
    assert len(parts) == 2
    assert [json.loads(line)["name"] for line in "".join(parts).splitlines()][-1] == "n0"


def test_hostile_names_are_shown_as_text(client, town):
    record(
        name="<script>alert(1)</script>", before={"<b>": "<img src=x onerror=alert(1)>"}, note="<i>", by="<u>"
    )
    page = client.get(AUDIT).content.decode()
    for part in ("<script>alert", "<img src=x", "<u>", "<i>"):
        assert part not in page


def test_old_records_are_dropped_and_the_page_says_when(client, town, settings):
    settings.AUDIT_DAYS = 30
    old = record(at=timezone.now() - timedelta(days=31), name="old")
    record(at=timezone.now() - timedelta(days=29), name="young")
    assert "kept for 30 days" in text_of(client.get(AUDIT))
    assert drop_old() == 1
    assert not AuditRecord.objects.filter(pk=old.pk).exists()
    assert AuditRecord.objects.get().name == "young"


def test_only_who_may_reads_it(client, town, lena):
    client.force_login(lena)
    for url in (AUDIT, AUDIT + "export.csv"):
        answer = client.get(url)
        assert answer.status_code == 403
        assert "catalog.view_auditrecord" in text_of(answer)
    assert "Audit log" not in text_of(client.get("/settings/teams/"))
    call(client, "get", "/audit", status=403)
    _, text = Token.issue(name="build", team=town.team, reads=True)
    for path in ("/audit", "/members", "/members/lena"):
        call(Client(), "get", path, status=403, Authorization=f"Bearer {text}")
    lena.user_permissions.add(Permission.objects.get(codename="view_auditrecord"))
    client.force_login(get_user_model().objects.get(pk=lena.pk))
    assert client.get(AUDIT).status_code == 200


def test_the_api_reads_the_log_page_by_page_and_members(client, town, lena):
    at = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
    for number in range(3):
        record(name=f"n{number}", at=at)
    first = call(client, "get", "/audit?limit=2&by=mara")
    assert [one["name"] for one in first["items"]] == ["n2", "n1"]
    assert first["items"][0]["at"] == "2026-11-01T09:30:00.000Z"
    second = call(client, "get", first["next"].removeprefix("/api/v1"))
    assert ([one["name"] for one in second["items"]], second["next"]) == (["n0"], None)
    members = call(client, "get", "/members?team=shop")["items"]
    assert [(one["name"], one["role"], one["teams"]) for one in members] == [
        ("lena", "editor", ["shop"]), ("mara", "administrator", ["shop"]),
    ]  # fmt: skip
    assert call(client, "get", "/members/lena")["email"] == "lena@example.com"
    assert [
        one["name"] for one in call(client, "get", "/members?role=administrator&active=true")["items"]
    ] == ["mara"]
    call(client, "get", "/members/nobody", status=404)
    call(client, "get", "/members?role=king", status=422)
    client.force_login(lena)
    assert call(client, "get", "/members/lena")["email"] is None


def test_an_empty_log_says_what_will_be_there(client, mara):
    assert "Nobody has changed anything yet." in text_of(client.get(AUDIT))
