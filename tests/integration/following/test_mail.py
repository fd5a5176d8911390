"""Changes of the catalog by mail: digests, who gets them, what delays them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core import mail as outbox
from django.utils import timezone

from catalog import changes
from catalog.following import follows, mail
from catalog.models import (
    EventType,
    Notice,
    Reader,
    SchemaVersion,
    Team,
)  # fmt: skip
from delivery import announcing
from tests.databases import in_thread
from tests.integration.following.town import follower


def test_followers_get_one_mail_for_what_came_together(placed: EventType, settings: Any) -> None:
    settings.PUBLIC_URL = "https://signalbox.example"
    mara, jonas = follower("mara"), follower("jonas")
    follows.start("type", "order.placed", user=jonas, mail=False)
    follower("nobody", email="")
    follower("gone", is_active=False)
    follower("elsewhere", key="order.paid")
    SchemaVersion.objects.create(
        event_type=placed, number=2, schema="{}", notes="Anything\r\nBcc: all@example.com"
    )
    changes.record("type.deprecated", event_type=placed, detail={"successor": "order.placed.v2"})
    changes.record("type.changed", event_type=placed)  # is news in the console, not by mail
    assert mail.note() == 3
    assert mail.note() == 0
    assert mail.send() == 1
    (message,) = outbox.outbox
    assert message.to == ["mara@example.com"]
    assert message.subject == "[Signalbox] 2 changes in the catalog: order.placed has a new version, 2."
    assert "Use order.placed.v2 in its place." in message.body
    assert "https://signalbox.example/events/order.placed/" in message.body
    assert "was changed" not in message.body
    assert not Notice.objects.filter(user=mara).exists()


def test_a_person_gets_no_second_mail_within_five_minutes(placed: EventType) -> None:
    follower()
    for number in range(3):
        changes.record("type.deprecated", event_type=placed, detail={"farewell": str(number)})
        mail.note()
        mail.send()
    assert len(outbox.outbox) == 1
    Reader.objects.update(mail_after=timezone.now() - timedelta(seconds=1))
    assert mail.send() == 1
    assert outbox.outbox[1].subject.startswith("[Signalbox] 2 changes")


def test_who_changes_it_is_not_mailed_and_members_are_for_what_their_team_follows(placed: EventType) -> None:
    mara = follower()
    jonas = get_user_model().objects.create(username="jonas", email="j@example.com", is_superuser=True)
    crew = Team.objects.create(name="Crew", slug="crew")
    crew.members.add(jonas, mara)
    follows.start("team", "shop", team=crew)
    changes.record("type.retired", event_type=placed, by=mara)
    announcing.announce()
    mail.send()
    assert [message.to for message in outbox.outbox] == [["j@example.com"]]


def test_a_mail_server_that_fails_delays_mail_and_nothing_else(
    placed: EventType, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    follower()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_HOST_PASSWORD = "127.0.0.1", 9, "pass-word-9"
    changes.record("type.retired", event_type=placed)
    assert announcing.announce() == 1
    assert mail.send() == 0
    reader = Reader.objects.get()
    assert reader.mail_trouble.startswith("ConnectionRefusedError")
    assert reader.mail_tries == 1
    assert "pass-word-9" not in caplog.text
    assert mail.send() == 0, "not again at once"
    assert Reader.objects.get().mail_tries == 1
    changes.record("type.reactivated", event_type=placed)
    assert announcing.announce() == 1
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    Reader.objects.update(mail_after=None)
    assert mail.send() == 1
    assert "2 changes" in outbox.outbox[0].subject
    assert Reader.objects.get().mail_trouble == ""


def test_two_workers_send_a_digest_once(placed: EventType) -> None:
    for number in range(6):
        follower(f"p{number}")
    changes.record("type.retired", event_type=placed)
    mail.note()
    ended = [in_thread(mail.send) for _ in range(2)]
    assert sum(end() for end in ended) == 6
    assert sorted(message.to[0] for message in outbox.outbox) == [f"p{n}@example.com" for n in range(6)]
