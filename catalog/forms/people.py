"""Forms about people: members, teams, one's own profile and password."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from catalog import roles
from catalog.changes import OWN
from catalog.forms.console import ConsoleFields
from catalog.models import Profile, Team, people

GOOD_PASSWORD = _("At least 8 characters; not only digits, nothing common, nothing like your name.")


class MemberForm(ConsoleFields, forms.Form):
    """What an administrator says about a member. `above`: whether whoever fills it may make administrators."""

    name = forms.CharField(label=_("Name"), max_length=150, required=False)
    email = forms.EmailField(label=_("E-mail"), max_length=254, required=False)
    role = forms.ChoiceField(label=_("Role"), widget=forms.RadioSelect)
    teams = forms.ModelMultipleChoiceField(
        Team.objects.exclude(slug=OWN),
        label=_("Teams"),
        required=False,
        widget=forms.CheckboxSelectMultiple({"class": "pick-some"}),
    )

    def __init__(self, *args: Any, above: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        role = self.fields["role"]
        assert isinstance(role, forms.ChoiceField)
        role.choices = [
            (name, label)
            for name, (label, _says) in roles.ROLES.items()
            if above or name != roles.ADMINISTRATOR
        ]
        # Somebody may have none: permissions one by one, or nothing yet.
        if self.initial.get("role") == "":
            role.choices = [("", _("no role")), *role.choices]
            role.required = False


class InviteForm(MemberForm):
    """A new member."""

    username = forms.CharField(
        label=_("Sign-in name"),
        max_length=150,
        validators=get_user_model()._meta.get_field("username").validators,
        help_text=_("Letters, digits and @ . + - _ only. It stays."),
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    field_order = ("username", "name", "email", "role", "teams")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"role": roles.READER})
        super().__init__(*args, **kwargs)

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"]
        if people().filter(username__iexact=name).exists():
            raise forms.ValidationError(_t("There is a member of this name. Choose another."))
        return name


class ProfileForm(ConsoleFields, forms.Form):
    """What a person says about themselves."""

    name = forms.CharField(label=_("Name"), max_length=150, required=False)
    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        required=False,
        help_text=_("Where mail about what you follow goes."),
    )
    language = forms.ChoiceField(label=_("Language"), required=False)
    theme = forms.ChoiceField(label=_("Theme"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language, theme = self.fields["language"], self.fields["theme"]
        assert isinstance(language, forms.ChoiceField)
        assert isinstance(theme, forms.ChoiceField)
        language.choices = [("", _("As the browser says")), *settings.LANGUAGES]
        theme.choices = [("", _("As the system says")), *Profile.Theme.choices]
        for field in self.fields.values():
            field.says_optional = field in (self.fields["name"], self.fields["email"])  # type: ignore[attr-defined]


class OwnPasswordForm(ConsoleFields, PasswordChangeForm):
    """A new password, with the old one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The page is about more than the password.
        self.fields["old_password"].widget.attrs.pop("autofocus", None)
        _plainly(self)


class FirstPasswordForm(ConsoleFields, SetPasswordForm):
    """A new password of whoever has a link."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plainly(self)


def _plainly(form: SetPasswordForm[Any]) -> None:
    # Django's own hints are five lines of what one may not do.
    form.fields["new_password1"].label = _t("New password")
    form.fields["new_password1"].help_text = GOOD_PASSWORD
    form.fields["new_password2"].label = _t("The password again")
    form.fields["new_password2"].help_text = ""


class TeamNameForm(ConsoleFields, forms.ModelForm):
    """What a team is called; its slug, which programs know it by, stays."""

    class Meta:
        model = Team
        fields = ("name",)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        if Team.objects.filter(name__iexact=name).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_t("There is a team of this name. Choose another."))
        return name


class HeirForm(ConsoleFields, forms.Form):
    """Which team takes what `team` owns. `needed`: it owns something that has to go somewhere."""

    to = forms.ModelChoiceField(
        Team.objects.none(), label=_("What it owns goes to"), required=False, empty_label=_("Choose a team")
    )

    def __init__(self, *args: Any, team: Team, needed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        to = self.fields["to"]
        assert isinstance(to, forms.ModelChoiceField)
        to.queryset = Team.objects.exclude(pk=team.pk).exclude(slug=OWN)
        to.required = needed
        to.error_messages["required"] = _("Choose the team that takes what it owns.")
