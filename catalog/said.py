"""Sentences that the pure engines say, kept with the parts they are made of so that a page can say them otherwise.

A sentence is a str in English, as the API, logs and records have it. What it was made from is looked up in a language
by `catalog.languages.telling`. Knows no framework; texts of `said` are found by `manage.py messages`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence


class Said(str):
    """A sentence in English; `template` with `values` is how it was made."""

    template: str
    values: dict[str, object]

    def __str__(self) -> str:
        return self  # also as the message of an exception: str(error) is still what was said

    def told(self, translate: Callable[[str], str]) -> str:
        """The same with its template, and those of sentences in it, as `translate` gives them."""
        values = {
            name: value.told(translate) if isinstance(value, Said) else value
            for name, value in self.values.items()
        }
        return translate(self.template) % values


def said(template: str, **values: object) -> str:
    """`template` with its %(name)s filled in. Values that are sentences themselves are told in the language, too."""
    sentence = Said(template % values)
    sentence.template, sentence.values = template, values
    return sentence


def joined(parts: Sequence[str], between: str) -> str:
    """The parts with `between` between them; both may be sentences."""
    if len(parts) == 1:
        return parts[0]
    values: dict[str, object] = {f"part{number}": part for number, part in enumerate(parts)}
    template = "%(between)s".join(f"%({name})s" for name in values)
    return said(template, between=between, **values)
