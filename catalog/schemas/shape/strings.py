"""Strings of one path: lengths, formats, and the values themselves while they are few, short and harmless."""

from __future__ import annotations

from collections import Counter
from typing import Any

from catalog.schemas.shape.formats import PRIVATE, format_of

VALUES = 50
VALUE_LENGTH = 64
EXAMPLES = 3


class Strings:
    """How many strings, how long, in which formats, and up to VALUES different ones with their counts.

    A string is kept only if it is printable, short, holds no "@" and is in no PRIVATE format; the others are counted
    in `unkept`. With the 51st different one the counts per value are dropped (`many`) and three examples remain: the
    least ones, so that the order of adding and merging does not matter.
    """

    __slots__ = ("_formats", "count", "examples", "longest", "many", "shortest", "unkept", "values", "votes")

    def __init__(self) -> None:
        self.count = 0
        self.shortest: int | None = None  # characters
        self.longest: int | None = None
        self.votes: dict[str, int] = {}
        self.values: dict[str, int] = {}
        self.many = False
        self.unkept = 0
        self.examples: list[str] = []
        # Of the values: what is known need not be looked at again.
        self._formats: dict[str, str] = {}

    def add(self, texts: list[str], private: bool) -> None:
        """`private` strings are counted, their formats too, and nothing else."""
        self.count += len(texts)
        votes = self.votes
        if private:
            self.unkept += len(texts)
            for text in texts:
                if name := format_of(text):
                    votes[name] = votes.get(name, 0) + 1
            return
        lengths = list(map(len, texts))
        shortest, longest = min(lengths), max(lengths)
        if self.shortest is None or shortest < self.shortest:
            self.shortest = shortest
        if self.longest is None or longest > self.longest:
            self.longest = longest
        if self.many:
            self._add_to_many(texts)
            return
        values, known = self.values, self._formats
        for text, count in Counter(texts).items():
            name = known.get(text, "?")
            if name == "?":
                name = format_of(text)
                if keepable(text, name):
                    known[text] = name
                    values.setdefault(text, 0)
            if text in values:
                values[text] += count
            else:
                self.unkept += count
            if name:
                votes[name] = votes.get(name, 0) + count
        if len(values) > VALUES:
            self.forget_values()

    def _add_to_many(self, texts: list[str]) -> None:
        votes = self.votes
        for text in texts:
            if name := format_of(text):
                votes[name] = votes.get(name, 0) + 1
        last = self.examples[-1] if len(self.examples) == EXAMPLES else None
        if lower := {text for text in texts if last is None or text < last}:
            self._exemplify([text for text in lower if keepable(text, format_of(text))])

    def _exemplify(self, texts: list[str]) -> None:
        self.examples = sorted({*self.examples, *texts})[:EXAMPLES]

    def forget_values(self) -> None:
        """Drops the counts per value; three examples remain."""
        self._exemplify(list(self.values))
        self.many, self.unkept, self.values, self._formats = True, 0, {}, {}

    def scrub(self) -> None:
        """Forgets everything but counts and formats."""
        self.unkept = self.count
        self.shortest = self.longest = None
        self.many, self.values, self._formats, self.examples = False, {}, {}, []

    def merge(self, other: Strings) -> None:
        """Adds what `other` has seen."""
        self.count += other.count
        self.unkept += other.unkept
        if other.shortest is not None and (self.shortest is None or other.shortest < self.shortest):
            self.shortest = other.shortest
        if other.longest is not None and (self.longest is None or other.longest > self.longest):
            self.longest = other.longest
        for name, votes in other.votes.items():
            self.votes[name] = self.votes.get(name, 0) + votes
        for text, count in other.values.items():
            self.values[text] = self.values.get(text, 0) + count
        self._formats = {}
        self.many = self.many or other.many
        if self.many or len(self.values) > VALUES:
            self.forget_values()
        if other.examples:
            self._exemplify(other.examples)

    @property
    def weight(self) -> int:
        """About how many bytes the kept values take."""
        return sum(2 * len(text) + 8 for text in self.values)

    @property
    def format(self) -> str:
        """The format that every string had, or ""."""
        return next((name for name, votes in self.votes.items() if votes == self.count), "")

    def encode(self) -> dict[str, Any]:
        """As JSON; decode reads it."""
        found: dict[str, Any] = {"n": self.count}
        if self.shortest is not None:
            found["l"] = [self.shortest, self.longest]
        if self.votes:
            found["v"] = dict(sorted(self.votes.items()))
        if self.values:
            found["d"] = dict(sorted(self.values.items()))
        if self.many:
            found["m"] = 1
        if self.unkept:
            found["u"] = self.unkept
        if self.examples:
            found["x"] = self.examples
        return found

    @classmethod
    def decode(cls, found: dict[str, Any]) -> Strings:
        """What encode wrote."""
        one = cls()
        one.count, one.unkept, one.many = int(found["n"]), int(found.get("u", 0)), bool(found.get("m"))
        if "l" in found:
            one.shortest, one.longest = (int(length) for length in found["l"])
        one.votes = {str(name): int(votes) for name, votes in found.get("v", {}).items()}
        one.values = {str(text): int(count) for text, count in found.get("d", {}).items()}
        one.examples = [str(text) for text in found.get("x", ())]
        return one


def keepable(text: str, format: str) -> bool:
    """Whether a string of this format may be kept: short, printable, and no way to reach a person."""
    return (
        len(text) <= VALUE_LENGTH
        and "@" not in text
        and "://" not in text
        and text.isprintable()
        and format not in PRIVATE
    )
