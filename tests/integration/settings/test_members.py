"""Members: who sees and changes them, links to a password, the last administrator, one's own profile."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client
from django.utils import timezone

from catalog import roles
from catalog.members import changing, seen
from catalog.models import AuditRecord, Profile, Token
from tests.integration.catalog.shop import text_of

pytestmark = pytest.mark.django_db
LENA = "/settings/members/by-name/lena/"
MARA = "/settings/members/by-name/mara/"
NEW = {"username": "jonas", "name": "Jonas Weber", "email": "", "role": "reader"}


def link_on(page):
    found = re.search(r'<code id="link">http://testserver([^<]+)</code>', page.content.decode())
    return found[1] if found else ""


def invited(client, **fields):
    """The path of the link of a new member, jonas."""
    made = client.post("/settings/members/new/", NEW | fields)
    assert made.url == "/settings/members/by-name/jonas/"
    return link_on(client.get(made.url))


def test_people_are_listed_with_what_is_known_and_found(client, town, lena):
    page = text_of(client.get("/settings/members/"))
    assert "lena – lena@example.com Shop editor never" in page
    assert "mara you" in page
    assert "mara you" not in text_of(client.get("/settings/members/?role=editor"))
    assert "mara you" not in text_of(client.get("/settings/members/?q=lena@example"))
    assert "Nobody is switched off." in text_of(client.get("/settings/members/?show=off"))
    assert "Nobody here is called “xyz”" in text_of(client.get("/settings/members/?q=xyz"))


def test_addresses_are_for_those_who_manage_members(client, town, lena):
    client.force_login(lena)
    page = text_of(client.get("/settings/members/"))
    assert "mara" in page
    assert "lena@example.com" not in page
    assert "Nobody here is called" in text_of(client.get("/settings/members/?q=example.com"))
    assert "lena@example.com" not in client.get(LENA).content.decode()


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("/settings/members/new/", NEW),
        (MARA, {"role": "reader", "name": "", "email": ""}),
        (LENA, {"role": "administrator", "name": "", "email": ""}),
        (MARA + "link/", {}),
        (MARA + "switch/", {"on": "0"}),
    ],
)
def test_editors_change_no_member(client, town, lena, url, sent):
    client.force_login(lena)
    assert client.post(url, sent).status_code == 403
    people = (
        get_user_model().objects.values_list("username", "is_superuser", "is_active").order_by("username")
    )
    assert list(people) == [("lena", False, True), ("mara", True, True)]
    assert not Profile.objects.exclude(link_digest="").exists()


def test_who_may_change_members_without_being_one_makes_no_administrator(client, town, lena):
    lena.user_permissions.set(Permission.objects.filter(codename__in=("add_user", "change_user")))
    client.force_login(lena)
    assert client.post("/settings/members/new/", NEW | {"role": "administrator"}).status_code == 200
    assert client.post(LENA, {"role": "administrator", "name": "", "email": ""}).status_code == 422
    assert client.post(MARA, {"role": "reader", "name": "", "email": ""}).status_code == 403
    for page in ("link/", "switch/"):
        client.post(MARA + page, {"on": "0"})
    mara = get_user_model().objects.get(username="mara")
    assert (mara.is_superuser, mara.is_active, Profile.of(mara).link_digest) == (True, True, "")
    assert get_user_model().objects.filter(is_superuser=True).count() == 1


def test_an_invitation_is_shown_once_and_works_once(client, town):
    link = invited(client, teams=[town.other.pk])
    assert link.startswith("/join/")
    assert link_on(client.get("/settings/members/by-name/jonas/")) == ""
    jonas = get_user_model().objects.get(username="jonas")
    assert (jonas.has_usable_password(), roles.role_of(jonas)) == (False, "reader")
    assert [team.slug for team in jonas.teams.all()] == ["billing"]
    stored = Profile.objects.get(user=jonas)
    assert link.split("/")[2] not in str(vars(stored))
    assert timedelta(days=6) < stored.link_ends_at - timezone.now() < timedelta(days=8)
    guest = Client()
    assert "Welcome, jonas" in text_of(guest.get(link))
    weak = guest.post(link, {"new_password1": "jonas", "new_password2": "jonas"})
    assert weak.status_code == 200
    assert "too s" in text_of(weak)
    done = guest.post(link, {"new_password1": "signal-box-9", "new_password2": "signal-box-9"})
    assert (done.status_code, done.url) == (302, "/")
    assert guest.get("/profile/").status_code == 200
    for method in (guest.get, guest.post):
        assert method(link).status_code == 404
    assert Client().login(username="jonas", password="signal-box-9")
    record = AuditRecord.objects.filter(action="password").get()
    assert (record.by, record.key, record.after["password"]) == ("jonas", "jonas", "••••")


def test_a_link_ends_is_replaced_and_dies_with_who_is_switched_off(client, town, lena):
    first = invited(client)
    client.post("/settings/members/by-name/jonas/link/")
    second = link_on(client.get("/settings/members/by-name/jonas/"))
    assert Client().get(first).status_code == 404
    assert Client().get(second).status_code == 200
    Profile.objects.update(link_ends_at=timezone.now() - timedelta(seconds=1))
    assert Client().get(second).status_code == 404
    client.post("/settings/members/by-name/jonas/link/")
    third = link_on(client.get("/settings/members/by-name/jonas/"))
    client.post("/settings/members/by-name/jonas/switch/", {"on": "0"})
    client.post("/settings/members/by-name/jonas/switch/", {"on": "1"})
    assert Client().get(third).status_code == 404


def test_a_reset_link_leaves_the_old_password_until_it_is_used(client, town, lena, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    client.post(LENA + "link/")
    link = link_on(client.get(LENA))
    assert Profile.of(lena).link_ends_at - timezone.now() < timedelta(hours=25)
    assert Client().login(username="lena", password="signal-box-9")
    Client().post(link, {"new_password1": "other-box-10", "new_password2": "other-box-10"})
    assert not Client().login(username="lena", password="signal-box-9")
    assert Client().login(username="lena", password="other-box-10")


def test_with_a_mail_server_and_an_address_the_link_goes_there_and_is_not_shown(client, town, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert invited(client, email="jonas@example.com") == ""
    [sent] = mail.outbox
    assert sent.to == ["jonas@example.com"]
    link = re.search(r"http://testserver(/join/\S+)", sent.body)[1]
    assert Client().get(link).status_code == 200


def test_where_the_mail_server_fails_the_page_shows_the_link(client, town, settings, monkeypatch):
    from catalog.members import mailing

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

    def fails(self):
        raise ConnectionRefusedError(111, "refused: user:s3cret")

    monkeypatch.setattr(mailing.EmailMessage, "send", fails)
    made = client.post("/settings/members/new/", NEW | {"email": "jonas@example.com"})
    page = client.get(made.url)
    assert link_on(page)
    assert "ConnectionRefusedError 111" in text_of(page)
    assert "s3cret" not in page.content.decode()


def test_a_name_is_taken_once_whatever_its_case(client, town, lena):
    answer = client.post("/settings/members/new/", NEW | {"username": "LENA"})
    assert "There is a member of this name" in text_of(answer)
    assert client.post("/settings/members/new/", NEW | {"username": "a b"}).status_code == 200
    assert get_user_model().objects.count() == 2


def test_role_and_teams_change_what_a_member_may(client, town, lena):
    sent = {"role": "reader", "name": "Lena Fischer", "email": "l@example.com", "teams": [town.other.pk]}
    assert client.post(LENA, sent).status_code == 302
    found = get_user_model().objects.get(pk=lena.pk)
    assert (roles.role_of(found), found.get_full_name(), found.email) == (
        "reader",
        "Lena Fischer",
        "l@example.com",
    )
    assert [team.slug for team in found.teams.all()] == ["billing"]
    assert not found.has_perm("rules.add_rule")
    client.post(LENA, sent | {"role": "administrator"})
    found = get_user_model().objects.get(pk=lena.pk)
    assert (found.is_superuser, found.is_staff) == (True, True)


def test_the_last_administrator_stays_one(client, town, mara, lena):
    answer = client.post(MARA, {"role": "reader", "name": "", "email": ""})
    assert answer.status_code == 422
    assert "mara is the last administrator" in text_of(answer)
    assert "You cannot switch yourself off" in text_of(
        client.post(MARA + "switch/", {"on": "0"}, follow=True)
    )
    other = get_user_model().objects.create_superuser("ines")
    changing.switch_off(mara, other)
    with pytest.raises(changing.Refused, match="last administrator"):
        changing.set_role(mara, mara, "editor")
    changing.switch_on(mara, other)
    changing.switch_off(other, mara)
    mara.is_active = True  # a session that did not notice yet
    with pytest.raises(changing.Refused, match="last administrator"):
        changing.switch_off(mara, other)
    assert get_user_model().objects.filter(is_superuser=True, is_active=True).count() == 1


def test_who_is_switched_off_is_out_at_once_and_what_they_made_stays(client, town, lena):
    Token.objects.update(created_by=lena)
    hers = Client()
    hers.force_login(lena)
    assert "1 tokens that work" in text_of(client.get(LENA))
    client.post(LENA + "switch/", {"on": "0"})
    assert hers.get("/").status_code == 302
    assert not Client().login(username="lena", password="signal-box-9")
    assert Token.objects.get().revoked_at is None
    assert "They sign in no more. What they made stays and works on." in text_of(client.get(LENA))
    assert "lena" in text_of(client.get("/settings/members/?show=off"))
    client.post(LENA + "switch/", {"on": "1"})
    assert Client().login(username="lena", password="signal-box-9")


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("reader", ("rules.view_rule", "auth.view_user"), ("rules.add_rule", "catalog.view_auditrecord", "catalog.add_token")),
        ("editor", ("rules.add_rule", "catalog.add_token", "catalog.delete_team"), ("catalog.view_auditrecord", "catalog.change_bus", "auth.change_user")),
        ("", (), ("rules.view_rule", "catalog.view_eventtype")),
    ],
)  # fmt: skip
def test_a_role_allows_what_it_says(lena, role, may, may_not):
    Profile.objects.filter(user=lena).update(role=role)
    found = get_user_model().objects.get(pk=lena.pk)
    assert found.has_perms(may)
    assert not any(found.has_perm(one) for one in may_not)
    assert set(may) <= found.get_all_permissions()
    found.is_active = False
    assert not any(found.has_perm(one) for one in may)


def test_every_permission_of_a_role_exists():
    known = {
        f"{app}.{code}" for app, code in Permission.objects.values_list("content_type__app_label", "codename")
    }
    for role in (roles.READER, roles.EDITOR):
        assert roles.permissions_of(role) - known == set()


def test_it_is_seen_when_somebody_was_here(client, lena):
    seen._visits.forget(lena.pk)
    client.force_login(lena)
    Profile.objects.filter(user=lena).update(seen_at=None)
    client.get("/profile/")
    at = Profile.of(lena).seen_at
    assert timezone.now() - at < timedelta(minutes=1)
    client.get("/profile/")
    assert Profile.of(lena).seen_at == at
    seen._visits.forget(lena.pk)
    client.get("/profile/")
    assert Profile.of(lena).seen_at > at


def test_ones_profile_is_saved_and_a_new_browser_starts_with_it(client, town, lena):
    client.force_login(lena)
    sent = {"name": "Lena Fischer", "email": "l@example.com", "language": "zh-hans", "theme": "dark"}
    saved = client.post("/profile/", sent)
    assert saved.status_code == 302
    assert (saved.cookies["language"].value, saved.cookies["theme"].value) == ("zh-hans", "dark")
    assert 'data-theme="dark"' in client.get("/profile/").content.decode()
    other = Client()
    answer = other.post("/sign-in/", {"username": "lena", "password": "signal-box-9"})
    assert (answer.cookies["language"].value, answer.cookies["theme"].value) == ("zh-hans", "dark")
    own = Client()
    own.cookies["theme"] = "light"
    answer = own.post("/sign-in/", {"username": "lena", "password": "signal-box-9"})
    assert answer.cookies["theme"].value == "light"
    assert client.post("/profile/", sent | {"email": "no"}).status_code == 200
    assert client.post("/profile/", sent | {"theme": "blue"}).status_code == 200


def test_a_new_password_needs_the_old_one_and_signs_other_browsers_out(client, town, lena):
    client.force_login(lena)
    other = Client()
    other.force_login(lena)
    new = {"new_password1": "other-box-10", "new_password2": "other-box-10"}
    wrong = client.post("/profile/password/", new | {"old_password": "guess"})
    assert wrong.status_code == 422
    assert Client().login(username="lena", password="signal-box-9")
    assert client.post("/profile/password/", new | {"old_password": "signal-box-9"}).status_code == 302
    assert client.get("/profile/").status_code == 200
    assert other.get("/profile/").status_code == 302


def test_a_member_with_a_name_that_is_an_address_has_a_page(client, town):
    get_user_model().objects.create_user("a.b+c@example.com")
    assert client.get("/settings/members/by-name/a.b+c@example.com/").status_code == 200
    assert client.get("/settings/members/by-name/nobody/").status_code == 404
