"""Sends a person the link with which they set a password, where a mail server is set."""

from __future__ import annotations

from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from catalog.following.mail import server_is_set


class NotSent(Exception):
    """The mail server did not take it; the text holds no credentials."""


def send_link(user: Any, address: str) -> bool:
    """Whether the link went by mail: not without a mail server or an address of the person. Raises NotSent."""
    if not user.email or not server_is_set():
        return False
    invited = not user.has_usable_password()
    context = {"user": user, "address": address, "invited": invited, "base": settings.PUBLIC_URL}
    subject = _("You are invited to Signalbox") if invited else _("Set a new password for Signalbox")
    message = EmailMessage(
        subject, render_to_string("catalog/settings/link_mail.txt", context), to=[user.email]
    )
    try:
        message.send()
    except (OSError, SMTPException) as error:
        number = getattr(error, "smtp_code", None) or getattr(error, "errno", None)
        raise NotSent(f"{type(error).__name__}{f' {number}' if number else ''}") from None
    return True
