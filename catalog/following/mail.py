"""Mail to followers: a digest per person and at most one in five minutes, sent by a control job that tries again.

Notices are rows that a sent digest deletes. A mail server that fails, refuses or hangs delays mail and nothing else.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import ngettext

from catalog.changes import KINDS
from catalog.following.follows import to_be_mailed
from catalog.following.telling import told
from catalog.models import Change, Notice, Reader

logger = logging.getLogger(__name__)

EVERY = timedelta(minutes=5)
# How long a digest is one worker's; longer than a connection may hang (settings.EMAIL_TIMEOUT).
HELD = timedelta(minutes=2)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
# Who cannot be reached for so long is no longer told of what is old by then.
KEPT = timedelta(days=7)
IN_DIGEST = 100
AT_ONCE = 200
STAY = 5.0  # seconds of one run


def note(limit: int = AT_ONCE) -> int:
    """Notes for each new change who is to be mailed; returns how many changes it took. Each is taken once."""
    taken = 0
    for change in Change.objects.filter(told_at=None).order_by("pk")[:limit]:
        with transaction.atomic():
            if not Change.objects.filter(pk=change.pk, told_at=None).update(told_at=timezone.now()):
                continue
            taken += 1
            if KINDS[change.kind].mailed:
                people = list(to_be_mailed(change))
                known = set(Reader.objects.filter(user__in=people).values_list("user", flat=True))
                new = [Reader(user_id=pk, seen=change.pk - 1) for pk in people if pk not in known]
                Reader.objects.bulk_create(new, ignore_conflicts=True)
                Notice.objects.bulk_create([Notice(user_id=pk, change=change) for pk in people])
    return taken


def send(stop: Callable[[], bool] = lambda: False, stay: float = STAY) -> int:
    """Sends the digests that are due, for about `stay` seconds or until `stop()`; returns how many went."""
    ends, sent = time.monotonic() + stay, 0
    connection = None
    try:
        while time.monotonic() < ends and not stop():
            reader = claim()
            if reader is None:
                break
            try:
                if connection is None:
                    connection = get_connection(timeout=settings.EMAIL_TIMEOUT)
                    connection.open()
                sent += _send(reader, connection)
            except (OSError, SMTPException) as error:
                _failed(reader, error)
                if connection is not None and not _lives(connection):
                    # Nobody else is tried now: each would wait as long for the same server.
                    return sent
    finally:
        if connection is not None:
            _close(connection)
    return sent


def claim() -> Reader | None:
    """A person with notices whose time has come, held for this worker; None when there is none."""
    now = timezone.now()
    waiting = Exists(Notice.objects.filter(user=OuterRef("user")))
    due = Q(mail_after=None) | Q(mail_after__lte=now)
    for reader in Reader.objects.filter(waiting, due).order_by(F("mail_after").asc(nulls_first=True), "pk")[
        :20
    ]:
        same = Reader.objects.filter(pk=reader.pk, mail_after=reader.mail_after)
        if same.update(mail_after=now + HELD):
            return reader
    return None


def digest(user: Any, notices: list[Notice], more: int) -> EmailMessage:
    """The mail that tells `user` of these changes; `more`: how many there are besides."""
    rows = told(notice.change for notice in notices)
    subject = rows[0].title if len(rows) == 1 else ngettext(
        "%(n)s change in the catalog: %(first)s", "%(n)s changes in the catalog: %(first)s", len(rows) + more
    ) % {"n": len(rows) + more, "first": rows[0].title}  # fmt: skip
    context = {"user": user, "rows": rows, "more": more, "base": settings.PUBLIC_URL}
    body = render_to_string("catalog/changes/mail.txt", context)
    # A subject of several lines would be headers.
    one_line = " ".join(subject.split())[:150]
    headers = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
    return EmailMessage(f"[Signalbox] {one_line}", body, to=[user.email], headers=headers)


def server_is_set() -> bool:
    """Whether mail goes to a mail server; without one it is written to the worker's output."""
    return settings.EMAIL_BACKEND != "django.core.mail.backends.console.EmailBackend"


def _send(reader: Reader, connection: Any) -> int:
    now = timezone.now()
    Notice.objects.filter(user=reader.pk, at__lt=now - KEPT).delete()
    user = get_user_model()._default_manager.filter(pk=reader.pk, is_active=True).exclude(email="").first()
    waiting = Notice.objects.filter(user=reader.pk)
    if user is None or not user.has_perm("catalog.view_eventtype"):
        waiting.delete()
        return 0
    notices = list(waiting.select_related("change").order_by("change_id")[:IN_DIGEST])
    if notices:
        message = digest(user, notices, waiting.count() - len(notices))
        message.connection = connection
        message.send()
    with transaction.atomic():
        Notice.objects.filter(pk__in=[notice.pk for notice in notices]).delete()
        Reader.objects.filter(pk=reader.pk).update(
            mail_after=now + EVERY, mailed_at=now, mail_tries=0, mail_trouble=""
        )
    return 1 if notices else 0


def _failed(reader: Reader, error: Exception) -> None:
    tries = reader.mail_tries + 1
    pause = min(FIRST_PAUSE * 2 ** min(tries - 1, 10), LONGEST_PAUSE)
    # What the server said may quote the credentials; its class and number do not.
    number = getattr(error, "smtp_code", None) or getattr(error, "errno", None)
    trouble = f"{type(error).__name__}{f' {number}' if number else ''}"
    Reader.objects.filter(pk=reader.pk).update(
        mail_after=timezone.now() + pause, mail_tries=tries, mail_trouble=trouble
    )
    logger.warning("Mail could not be sent (%s); it is tried again in %d s.", trouble, pause.total_seconds())


def _lives(connection: Any) -> bool:
    """Whether the connection can take another mail: a refused address is that person's trouble alone."""
    socket = getattr(connection, "connection", connection)
    if socket is None:
        return False
    try:
        return not hasattr(socket, "noop") or socket.noop()[0] == 250
    except (OSError, SMTPException):
        return False


def _close(connection: Any) -> None:
    try:
        connection.close()
    except (OSError, SMTPException) as error:
        logger.info("The mail server did not say goodbye: %s", type(error).__name__)
