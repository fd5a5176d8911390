"""Which packs there are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Pack:
    """A package of npm that describes event types.

    `file`: the document in it. `before`: what each name begins with. `source`: the CloudEvents source they come from,
    registered as `title` when nobody has.
    """

    name: str
    title: str
    about: str | Promise
    package: str
    file: str
    before: str
    source: str

    @property
    def folder(self) -> Path:
        """Where its package.json and its lock are."""
        return HERE / self.name

    @property
    def version(self) -> str:
        """The exact version that the lock holds."""
        found = json.loads((self.folder / "package.json").read_text())
        return str(found["dependencies"][self.package])


PACKS: dict[str, Pack] = {
    "github": Pack(
        name="github",
        title="GitHub",
        about=_("Every webhook of GitHub with its actions, such as com.github.issues.opened."),
        package="@octokit/webhooks-schemas",
        file="schema.json",
        before="com.",
        source="/github",
    ),
}
