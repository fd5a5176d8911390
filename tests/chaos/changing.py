"""Faults that people make: a poison event, rules edited all the time, a migration under load."""

from __future__ import annotations

import json
import time
from itertools import count

from delivery.tracking.words import State
from tests.chaos.load import Event
from tests.chaos.sink import FICKLE
from tests.chaos.trial import ARRIVES_WITHIN, Trial

RULES, EDITS, EACH = 10_000, 60, 0.1  # of a second between two edits
_numbers = count()

# Once: rules that match nothing, and one whose target is paused, so that its routes stay to be read.
FILL = """
import json
from catalog import stamps
from catalog.models import Bus, Team
from django.db import transaction
from rules.models import Rule, RuleRevision, Target
from rules.revisions import save_rule, save_target, set_state
bus, team = Bus.objects.get(name="chaos"), Team.objects.get(slug="chaos")
if not Rule.objects.filter(name="edited").exists():
    edited = save_rule(Rule(name="edited", bus=bus, team=team, pattern={"subject": ["nobody"]}))
    watched = Target(name="watched", rule=edited, connector="http", config={"url": "http://127.0.0.1:9/"})
    set_state(save_target(watched), "paused")
    idle = save_rule(Rule(name="idle", bus=bus, team=team, pattern={"subject": ["nobody"]}))
    taker = Target(name="idle", rule=idle, connector="http", config={"url": "http://127.0.0.1:9/"})
    set_state(save_target(taker), "paused")
    for first in range(0, %(rules)d, 500):
        with transaction.atomic():
            version = stamps.bump(stamps.RULES)
            made = Rule.objects.bulk_create(
                Rule(name=f"rule {n}", bus=bus, team=team, revision=1, pattern={"type": [f"never.{n}"]})
                for n in range(first, first + 500)
            )
            targets = Target.objects.bulk_create(
                Target(name="idle", rule=rule, connector="http", config={"url": "http://127.0.0.1:9/"}, state="paused")
                for rule in made
            )
            RuleRevision.objects.bulk_create(
                RuleRevision(
                    rule_id=rule.pk, number=1, rules_version=version, bus_id=bus.pk, name=rule.name,
                    pattern=rule.pattern, enabled=True, target_ids=[target.pk],
                )
                for rule, target in zip(made, targets)
            )
"""

# Each edit says from which seq on its pattern holds at the latest: what is stored after the head read here.
EDIT = """
import json, random, time
from django.db import connection
from rules.models import Rule
from rules.revisions import save_rule
rule, others = Rule.objects.get(name="edited"), list(Rule.objects.filter(name__startswith="rule ")[:200])
dice, edits = random.Random(%(seed)d), []
for number in range(%(edits)d):
    began = time.monotonic()
    if number %% 2:
        save_rule(dice.choice(others))
    else:
        rule.pattern = {"subject": [{"suffix": str(digit)} for digit in dice.sample(range(10), 3)]}
        save_rule(rule)
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq, (SELECT version FROM catalog_stamp WHERE name = 'rules') FROM log_head WHERE id = 1")
        edits.append(cursor.fetchone())
    time.sleep(max(0.0, %(each)f - (time.monotonic() - began)))
print(json.dumps({"edits": edits, "rule": rule.pk, "target": rule.targets.get().pk}))
"""


def edit_rules(run: Trial) -> None:
    """Ten edits a second among 10,000 rules: each event is matched against the one version that is stored with it."""
    run.town.manage("shell", "-v0", "-c", FILL % {"rules": RULES})
    script = EDIT % {"seed": run.dice.randrange(10**6), "edits": EDITS, "each": EACH}
    told = json.loads(run.town.manage("shell", "-v0", "-c", script).splitlines()[-1])
    check_rules(run, told["edits"], told["rule"], told["target"])


def check_rules(run: Trial, edits: list[list[int]], rule: int, target: int) -> None:
    """Fails when an event was matched against anything but its stored version, or that came late."""
    revisions = [
        (version, pattern if isinstance(pattern, dict) else json.loads(pattern))
        for version, pattern in run.database.rows(
            f"SELECT rules_version, pattern FROM rules_rulerevision WHERE rule_id = {rule} ORDER BY rules_version"
        )
    ]
    taken = {seq for (seq,) in run.database.rows(f"SELECT seq FROM log_route WHERE target = {target}")}
    first = edits[0][0]
    events = run.database.rows(
        f"SELECT seq, subject, rules_version FROM log_event WHERE seq > {first} ORDER BY seq"
    )
    assert events, "no event was stored while rules were edited"
    reached, waiting = 0, sorted(map(tuple, edits))
    for seq, subject, version in events:
        while waiting and waiting[0][0] < seq:
            reached = max(reached, waiting.pop(0)[1])
        assert version >= reached, (
            f"{seq} was matched by version {version}, though {reached} was saved before"
        )
        pattern = next(one for since, one in reversed(revisions) if since <= version)
        assert matches(pattern, subject) == (seq in taken), f"{seq} was not matched by its version {version}"


def matches(pattern: dict[str, list[object]], subject: str) -> bool:
    """What the engine should say of the patterns that are made here."""
    return any(
        subject.endswith(one["suffix"]) if isinstance(one, dict) else subject == one
        for one in pattern["subject"]
    )


def poison(run: Trial) -> None:
    """An event that kills the worker whenever it is sent to the fickle target: after three deaths it is given up."""
    name = f"poison-{next(_numbers)}"
    event = Event(f"{name}-0", "/chaos/poison", name, 0)
    run.load.publish(event)
    seq, target = run.load.acknowledged[event.id], run.targets[FICKLE]
    run.expected_dead += 1
    killed: set[str] = set()
    ends = time.monotonic() + 2 * ARRIVES_WITHIN
    while not _is_dead(run, target, seq):
        assert time.monotonic() < ends, f"{name} killed {len(killed)} workers and is no dead letter"
        time.sleep(0.05)
        for owner in _who_sends(run, target, seq) - killed:
            pid = owner.rsplit("-", 2)[1]
            other = run.other and pid == str(run.town.processes["worker"].pid)
            run.kill("other worker" if other else "worker")
            killed.add(owner)
    reason = run.database.rows(f"SELECT reason FROM runner_exception WHERE target = {target} AND seq = {seq}")
    assert "died 3 times" in reason[0][0], reason
    assert len(killed) >= 3, f"given up after {len(killed)} deaths"


def _is_dead(run: Trial, target: int, seq: int) -> bool:
    asked = f"SELECT 1 FROM runner_exception WHERE target = {target} AND seq = {seq} AND state = {int(State.DEAD)}"
    return bool(run.database.rows(asked))


def _who_sends(run: Trial, target: int, seq: int) -> set[str]:
    """The shifts that have that event in flight; one that died has it until its lease lapsed."""
    return {
        owner
        for owner, seqs in run.database.rows(f"SELECT owner, seqs FROM runner_flight WHERE target = {target}")
        if any(one == seq for _, one, _ in json.loads(seqs))
    }
