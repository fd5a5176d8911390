"""`manage.py rules`: tries a pattern on events from a file, converts transforms; for a terminal and for build servers."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.json_place import broken
from rules.engine import (
    Event,
    Filter,
    PatternError,
    Transform,
    TransformError,
    compile,
    compile_transform,
    explain,
    validate,
)
from rules.engine.cesql import CesqlError, parse_filter
from rules.engine.imported_transforms import imported
from rules.engine.subscriptions import validate_filters
from rules.event_files import Line, events_in

INVALID, UNEXPECTED = 1, 3
STDIN = "-"


class NotValid(Exception):
    """A file that cannot be used: a line for each place, as compilers write them (file:line:column: what)."""

    def __init__(self, *places: str) -> None:
        super().__init__(*places)
        self.places = places


class Command(BaseCommand):
    """Tries rules without a server and without a database."""

    help = "Tries a pattern on events (test), or converts a transform of another event bus (convert)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        test = verbs.add_parser(
            "test",
            help="try a pattern on events",
            description="Prints for each event whether the pattern takes it, and why not. Ends with 0 when everything "
            "could be read, 1 when pattern, transform or an event is not valid, 3 when --expect does not hold.",
        )
        test.add_argument("pattern", help="file with the pattern as JSON; - for standard input")
        test.add_argument(
            "events",
            help="file with one event as JSON per line, a JSON array of events, or events as JSON one after the other; "
            "- for standard input",
        )
        test.add_argument("--sql", default="", help="a CloudEvents SQL expression that must hold too")
        test.add_argument("--filters", metavar="FILE", help="file with a list of filters that must hold too")
        test.add_argument(
            "--explain", action="store_true", help="print every condition, not only the first that fails"
        )
        test.add_argument(
            "--transform", metavar="FILE", help="file with a transform as JSON: print what would be sent"
        )
        test.add_argument(
            "--expect",
            type=_expectation,
            metavar="all|none|N",
            help="how many events must match; else it ends with 3",
        )

        convert = verbs.add_parser(
            "convert",
            help="convert a transform of another event bus",
            description="Prints a transform of AWS, Alibaba Cloud or RocketMQ EventBridge as one of ours, and on standard "
            "error where it does something else. Ends with 0, or with 1 when nothing here does the same.",
        )
        convert.add_argument(
            "file",
            help="file with Input, InputPath, or InputPathsMap and InputTemplate; or with form, value, template",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "convert":
            self._convert(options["file"])
        else:
            self._test(options)

    def _convert(self, name: str) -> None:
        try:
            found = imported(_json(name))
        except (TransformError, NotValid) as error:
            if isinstance(error, NotValid):
                self.stderr.write(error.places[0])
            else:
                pointer = f"{error.pointer}: " if error.pointer else ""
                self.stderr.write(f"{name}: {pointer}{error.message}")
            raise _invalid(1) from None
        self.stdout.write(json.dumps(found.spec, ensure_ascii=False, indent=2))
        for note in found.notes:
            self.stderr.write(_("note: %(note)s") % {"note": note})

    def _test(self, options: dict[str, Any]) -> None:
        names = [options[name] for name in ("pattern", "events", "filters", "transform")]
        if names.count(STDIN) > 1:
            raise CommandError(_("Only one of the files can be standard input."), returncode=2)
        try:
            wanted = _filter(options)
            transform = _transform(options["transform"]) if options["transform"] else None
        except NotValid as wrong:
            for place in wrong.places:
                self.stderr.write(place)
            raise _invalid(len(wrong.places)) from None
        matcher = compile([(1, wanted)])
        matched = looked_at = invalid = 0
        for line in _lines(options["events"]):
            if line.event is None:
                invalid += 1
                self.stderr.write(f"{options['events']}:{line.number}:{line.problem}")
                continue
            looked_at += 1
            taken = bool(matcher.match(line.event))
            matched += taken
            self._tell(line, taken, wanted, options["explain"])
            if taken and transform is not None and not self._send(line.event, transform):
                invalid += 1
        self.stdout.write(_total(matched, looked_at))
        if invalid:
            raise _invalid(invalid)
        expected = {"all": looked_at, "none": 0}.get(options["expect"], options["expect"])
        if expected is not None and expected != matched:
            raise CommandError(
                _("Expected %(expected)s of %(all)d events to match, %(matched)d did.")
                % {"expected": options["expect"], "all": looked_at, "matched": matched},
                returncode=UNEXPECTED,
            )

    def _tell(self, line: Line, taken: bool, wanted: Filter, everything: bool) -> None:
        assert line.event is not None
        name = f"{line.number}  {line.event.attributes.get('id', '')}".rstrip()
        found = None if taken and not everything else explain(wanted, line.event)
        why = f": {found.failed.sentence}" if found and found.failed else ""
        self.stdout.write(f"{name}  " + (_("matches") if taken else _("does not match") + why))
        for one in found.conditions if found is not None and everything else ():
            self.stdout.write(f"    {'✓' if one.ok else '✗'} {one.sentence}")

    def _send(self, event: Event, transform: Transform) -> bool:
        """Prints what would be sent; whether there is anything to send."""
        try:
            output = transform.apply(event)
        except TransformError as error:
            self.stderr.write(f"    {error.message}")
            return False
        self.stdout.write(f"    {output.content_type}")
        for text in output.body.decode(errors="backslashreplace").splitlines() or [""]:
            self.stdout.write(f"    {text}")
        return True


def _invalid(count: int) -> CommandError:
    return CommandError(
        ngettext("%(n)d problem.", "%(n)d problems.", count) % {"n": count}, returncode=INVALID
    )


def _expectation(text: str) -> str | int:
    if text in ("all", "none"):
        return text
    if text.isdecimal():
        return int(text)
    raise ArgumentTypeError(_("“all”, “none” or a number"))


def _read(name: str) -> str:
    """The whole text of a file. Raises NotValid."""
    try:
        if name == STDIN:
            return sys.stdin.read()
        with open(name, encoding="utf-8-sig") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise NotValid(f"{name}: {_why(error)}") from None


def _filter(options: dict[str, Any]) -> Filter:
    """What is asked for. Raises NotValid with everything wrong in the first part that is not valid."""
    pattern = _valid(options["pattern"], validate)
    sql = options["sql"]
    try:
        if sql:
            parse_filter(sql)
    except CesqlError as error:
        raise NotValid(f"--sql:{error.line}:{error.column}: {error.message}") from None
    return Filter(pattern, sql, _valid(options["filters"], validate_filters) if options["filters"] else None)


def _valid(name: str, validated: Callable[[str], list[PatternError]]) -> Any:
    text = _read(name)
    places = []
    for one in validated(text):
        line = "" if one.line is None else f":{one.line}:{one.column}"
        pointer = f"{one.pointer}: " if one.pointer else ""
        places.append(f"{name}{line}: {pointer}{one.message}")
    if places:
        raise NotValid(*places)
    return json.loads(text)


def _transform(name: str) -> Transform:
    try:
        return compile_transform(_json(name))
    except TransformError as error:
        raise NotValid(f"{name}: {error}") from None


def _json(name: str) -> Any:
    """What a file of JSON holds. Raises NotValid."""
    text = _read(name)
    stops = broken(text)
    if stops is not None:
        raise NotValid(f"{name}:{stops.line}:{stops.column}: " + _("not JSON: %(why)s") % {"why": stops.why})
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotValid(f"{name}: {error}") from None


def _lines(name: str) -> Iterator[Line]:
    """The events of a file, one after the other, however long it is; empty lines are none."""
    try:
        if name == STDIN:
            yield from events_in(sys.stdin.buffer)
        else:
            with open(name, "rb") as file:
                yield from events_in(file)
    except OSError as error:
        raise CommandError(f"{name}: {_why(error)}", returncode=INVALID) from None


def _why(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else _("not UTF-8 text")


def _total(matched: int, looked_at: int) -> str:
    events = ngettext("%(n)s event", "%(n)s events", looked_at) % {"n": f"{looked_at:,}"}
    return _("%(events)s: %(matched)s match, %(others)s do not.") % {
        "events": events,
        "matched": f"{matched:,}",
        "others": f"{looked_at - matched:,}",
    }
