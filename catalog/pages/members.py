"""Members: who uses this Signalbox, what they may, inviting somebody, switching somebody off."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from catalog import roles
from catalog.access import needs
from catalog.changes import OWN
from catalog.forms.people import InviteForm, MemberForm
from catalog.members import changing, links
from catalog.members.mailing import NotSent, send_link
from catalog.models import Draft, EventType, Profile, SchemaVersion, Team, Token, people
from catalog.pages.issued import carry, taken, text_of

PAGE = 50
# The cookie that carries a new link to the page that shows it once.
LINK = "member-link"
OFF = "off"


@needs("auth.view_user")
@require_safe
def members(request: HttpRequest) -> HttpResponse:
    """People by sign-in name; `?q=` searches names and addresses, `?role=` a role, `?show=off` who is switched off."""
    query, role = request.GET.get("q", "").strip()[:150], request.GET.get("role", "")
    off = request.GET.get("show") == OFF
    manages = request.user.has_perm("auth.change_user")
    found = roles.with_roles().filter(is_active=not off)
    if query:
        fits = Q(username__icontains=query) | Q(first_name__icontains=query) | Q(last_name__icontains=query)
        found = found.filter(fits | Q(email__icontains=query) if manages else fits)
    if role in roles.ROLES:
        found = found.filter(role=role)
    page = Paginator(found.order_by("username").prefetch_related("teams"), PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "page": page,
        "query": query,
        "role": role if role in roles.ROLES else "",
        "off": off,
        "roles": [(name, label) for name, (label, _says) in roles.ROLES.items()],
        "manages": manages,
    }
    return render(request, "catalog/settings/members.html", context)


@needs("auth.add_user")
def invite(request: HttpRequest) -> HttpResponse:
    """A form for a new member, whose link the member's page shows once."""
    form = InviteForm(request.POST or None, above=request.user.is_superuser)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made, text = changing.invite(
                request.user, given["username"], given["name"], given["email"], given["role"], given["teams"]
            )
        except changing.Refused as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("%(name)s is a member now.") % {"name": made.username})
            return _give(request, made, text)
    return render(request, "catalog/settings/invite.html", {"form": form, "roles": roles.ROLES.items()})


@needs("auth.view_user")
@never_cache
def member(request: HttpRequest, username: str) -> HttpResponse:
    """One member: what they may, their teams, what they made. A link that was just made is shown here, once."""
    found = get_object_or_404(roles.with_roles().prefetch_related("teams"), username=username)
    why_not = changing.refusal(request.user, found)
    role = roles.role_of(found)
    initial = {
        "name": found.get_full_name(),
        "email": found.email,
        "role": role,
        "teams": [team.pk for team in found.teams.all()],
    }
    above = bool(request.user.is_superuser)
    form = MemberForm(request.POST or None, initial=initial, above=above)
    if request.method == "POST" and not why_not and form.is_valid() and _saved(request, found, form, role):
        messages.success(request, _("What you changed of %(name)s is saved.") % {"name": found.username})
        return redirect("member", found.username)
    text = text_of(request, LINK)
    profile = Profile.of(found)
    context: dict[str, Any] = {
        "member": found,
        "role": role,
        "role_says": roles.ROLES[role][1] if role in roles.ROLES else "",
        "roles": roles.ROLES.items(),
        "form": form,
        "why_not": why_not,
        "manages": request.user.has_perm("auth.change_user"),
        "profile": profile,
        "waits": not found.has_usable_password(),
        "own": found.user_permissions.count(),
        "made": _made(found),
        "link": request.build_absolute_uri(reverse("join", args=[text])) if text else "",
        "myself": found.pk == request.user.pk,
    }
    status = 200 if request.method != "POST" else 403 if why_not else 422
    answer = render(request, "catalog/settings/member.html", context, status=status)
    return taken(request, answer, request.path, LINK)


def _saved(request: HttpRequest, found: Any, form: MemberForm, role: str) -> bool:
    given = form.cleaned_data
    try:
        if given["role"] != role:
            changing.set_role(request.user, found, given["role"])
    except changing.Refused as error:
        form.add_error("role", str(error))
        return False
    if (given["name"], given["email"]) != (found.get_full_name(), found.email):
        if given["name"] != found.get_full_name():
            found.first_name, found.last_name = given["name"], ""
        found.email = given["email"]
        found.save(update_fields=["first_name", "last_name", "email"])
    changing.set_teams(found, given["teams"])
    return True


def _made(found: Any) -> list[tuple[str, int]]:
    """What the member made that stays when they are switched off: words and how many."""
    counted = [
        (_("event types"), EventType.objects.filter(created_by=found)),
        (_("schema versions"), SchemaVersion.objects.filter(created_by=found)),
        (_("tokens that work"), Token.objects.filter(created_by=found, revoked_at=None)),
        (_("drafts"), Draft.objects.filter(created_by=found)),
        (_("teams"), Team.objects.filter(members=found).exclude(slug=OWN)),
    ]
    return [(words, count) for words, rows in counted if (count := rows.count())]


@needs("auth.change_user")
@require_POST
def new_link(request: HttpRequest, username: str) -> HttpResponse:
    """Makes a link with which the member sets a password; one that was made before opens nothing any more."""
    found = get_object_or_404(people(), username=username)
    if why_not := changing.refusal(request.user, found):
        messages.error(request, why_not)
        return redirect("member", username)
    if not found.is_active:
        messages.error(
            request, _("%(name)s is switched off. Switch the member on first.") % {"name": username}
        )
        return redirect("member", username)
    return _give(request, found, links.make(found, request.user))


def _give(request: HttpRequest, found: Any, text: str) -> HttpResponse:
    """Sends the link by mail, where there is a server and an address; else the member's page shows it once."""
    page = reverse("member", args=[found.username])
    answer = redirect(page)
    try:
        if send_link(found, request.build_absolute_uri(reverse("join", args=[text]))):
            messages.success(request, _("The link is on its way to %(email)s.") % {"email": found.email})
            return answer
    except NotSent as error:
        messages.warning(
            request, _("The mail could not be sent (%(why)s). Here is the link.") % {"why": error}
        )
    return carry(request, answer, LINK, text, page)


@needs("auth.change_user")
@require_POST
def switch_member(request: HttpRequest, username: str) -> HttpResponse:
    """Switches the member off (`on=0`): they sign in no more, what they made stays. Or on again (`on=1`)."""
    found = get_object_or_404(people(), username=username)
    try:
        if request.POST.get("on") == "1":
            changing.switch_on(request.user, found)
            messages.success(request, _("%(name)s may sign in again.") % {"name": username})
        else:
            changing.switch_off(request.user, found)
            messages.success(
                request, _("%(name)s signs in no more. What they made stays.") % {"name": username}
            )
    except changing.Refused as error:
        messages.error(request, str(error))
    return redirect("member", username)
