"""The tables of the data plane, as SQL for SQLite and PostgreSQL. The first migration creates them.

Times are microseconds since 1970 (UTC) in 64-bit integers, so that both databases compare and subtract them alike.
"""

from __future__ import annotations

from collections.abc import Collection

# {integer} and {bytes} are the vendor's 64-bit integer and byte string; {clustered} keeps a narrow table in one b-tree.
TABLES = (
    # The head is kept apart from the events: seq must not repeat after the log was emptied.
    """CREATE TABLE log_head (id {integer} PRIMARY KEY, seq {integer} NOT NULL)""",
    # What retention dropped, per bus: everything up to and including seq.
    """CREATE TABLE log_floor (bus {integer} PRIMARY KEY, seq {integer} NOT NULL)""",
    """CREATE TABLE log_event (
        seq {integer} PRIMARY KEY, bus {integer} NOT NULL, lane {integer} NOT NULL, key {integer} NOT NULL,
        source text NOT NULL, type text NOT NULL, subject text, ce_id text NOT NULL, time text,
        received_at {integer} NOT NULL, schema_version {integer}, rules_version {integer} NOT NULL, valid {integer},
        raw {bytes} NOT NULL)""",
    """CREATE INDEX log_event_type ON log_event (bus, type, seq)""",
    # The story of a key is read through its lane: an index by key would write a page per event somewhere else.
    """CREATE INDEX log_event_lane ON log_event (lane, seq, key)""",
    # By the id as it is, because most publishers' ids grow: a hash would write a page per event somewhere else.
    # source is a 64-bit hash, which need only tell sources apart that use the same id.
    """CREATE TABLE log_duplicate (
        bus {integer} NOT NULL, ce_id text NOT NULL, source {integer} NOT NULL, seq {integer} NOT NULL,
        digest {integer} NOT NULL, PRIMARY KEY (bus, ce_id, source)) {clustered}""",
    """CREATE TABLE log_route (
        target {integer} NOT NULL, lanes {integer} NOT NULL, seq {integer} NOT NULL, lane {integer} NOT NULL,
        PRIMARY KEY (target, lanes, seq)) {clustered}""",
    # The newest seq routed to a target's lane group, written where routes are: by ingest, and by backfills under the
    # same lock. Shifts read it by seq.
    """CREATE TABLE log_ready (
        target {integer} NOT NULL, lanes {integer} NOT NULL, seq {integer} NOT NULL,
        PRIMARY KEY (target, lanes)) {clustered}""",
    """CREATE INDEX log_ready_seq ON log_ready (seq)""",
    # Written by shifts alone: the lease of a target's lane group with its fencing token, and a cursor per lane.
    # wanted: until when its holder gives it back, and only retention takes it. mode: the order its lanes are served in, which follows the target's once what was parked under it is finished.
    """CREATE TABLE runner_slot (
        target {integer} NOT NULL, lanes {integer} NOT NULL, owner text, fence {integer} NOT NULL,
        until {integer} NOT NULL, mode text,
        wanted {integer} NOT NULL DEFAULT 0, {cursors}, PRIMARY KEY (target, lanes)) {clustered}""",
    # What is about to be sent, recorded before its first byte: a crash leaves "unknown", never "unrecorded".
    """CREATE TABLE runner_flight (
        id {serial}, target {integer} NOT NULL, owner text NOT NULL, at {integer} NOT NULL, seqs text NOT NULL)""",
    """CREATE INDEX runner_flight_target ON runner_flight (target)""",
    # Events that were being sent when their worker died, as often in a row as deaths says; number: the last such attempt.
    """CREATE TABLE runner_suspect (
        target {integer} NOT NULL, seq {integer} NOT NULL, lane {integer} NOT NULL, number {integer} NOT NULL,
        deaths {integer} NOT NULL, PRIMARY KEY (target, seq)) {clustered}""",
    # Rows for the exceptions only: waiting behind one, retrying, or dead. They own their bytes.
    # clock: what the target's running clock said at the first attempt since it was routed or redriven.
    # told: a dead letter that the target's own target for dead letters has got.
    """CREATE TABLE runner_exception (
        target {integer} NOT NULL, seq {integer} NOT NULL, lane {integer} NOT NULL, key {integer} NOT NULL,
        state {integer} NOT NULL, blocks {integer} NOT NULL, attempts {integer} NOT NULL, redriven {integer} NOT NULL,
        received_at {integer} NOT NULL, first_at {integer} NOT NULL, due_at {integer}, status {integer}, reason text, raw {bytes} NOT NULL,
        request text, response text, clock {integer}, told {integer} NOT NULL DEFAULT 0,
        PRIMARY KEY (target, seq)) {clustered}""",
    # What all shifts share of a target's breaker, its running clock and the schedule of its rate (runner/gating.py).
    """CREATE TABLE runner_gate (
        target {integer} PRIMARY KEY, failures {integer} NOT NULL DEFAULT 0, first {integer} NOT NULL DEFAULT 0,
        several {integer} NOT NULL DEFAULT 0, opened_at {integer}, wait {integer} NOT NULL DEFAULT 0,
        probe_at {integer} NOT NULL DEFAULT 0, probe {integer} NOT NULL DEFAULT 0, prober text,
        closed_at {integer} NOT NULL DEFAULT 0, reason text NOT NULL DEFAULT '', stands {integer} NOT NULL DEFAULT 0,
        rested {integer} NOT NULL DEFAULT 0, schedule {integer} NOT NULL DEFAULT 0,
        slow {integer} NOT NULL DEFAULT 0)""",
    # How many sends each shift may have under way to a target (runner/sharing.py).
    """CREATE TABLE runner_place (
        target {integer} NOT NULL, owner text NOT NULL, places {integer} NOT NULL, PRIMARY KEY (target, owner)) {clustered}""",
    """CREATE INDEX runner_exception_due ON runner_exception (due_at) WHERE due_at IS NOT NULL""",
    """CREATE INDEX runner_exception_key ON runner_exception (target, key, seq)""",
    """CREATE INDEX runner_exception_dead ON runner_exception (state, seq)""",
    # One row per attempt, except for first ones that delivered: those are packed. worker: the shift that tried.
    """CREATE TABLE attempt (
        id {serial}, target {integer} NOT NULL, seq {integer} NOT NULL, number {integer} NOT NULL,
        at {integer} NOT NULL, took {integer} NOT NULL, outcome {integer} NOT NULL, status {integer},
        revision {integer} NOT NULL, reason text, response text,
        worker text, lookup {integer}, connect {integer}, tls {integer}, first_byte {integer})""",
    """CREATE INDEX attempt_target ON attempt (target, seq)""",
    """CREATE INDEX attempt_seq ON attempt (seq)""",
    # First attempts that delivered, those of one target and commit together (delivery/tracking/packing.py). Events are
    # looked for by the pack's last seq: it is less than 4,096 above the first.
    """CREATE TABLE attempt_pack (
        id {serial}, target {integer} NOT NULL, hi {integer} NOT NULL, lo {integer} NOT NULL, body {bytes} NOT NULL)""",
    """CREATE INDEX attempt_pack_target ON attempt_pack (target, hi, lo)""",
    """CREATE TABLE rollup_received (
        bus {integer} NOT NULL, type text NOT NULL, minute {integer} NOT NULL, events {integer} NOT NULL,
        invalid {integer} NOT NULL, bytes {integer} NOT NULL, PRIMARY KEY (bus, type, minute)) {clustered}""",
    """CREATE INDEX rollup_received_minute ON rollup_received (minute)""",
    """CREATE TABLE rollup_delivered (
        target {integer} NOT NULL, minute {integer} NOT NULL, delivered {integer} NOT NULL, retried {integer} NOT NULL,
        dead {integer} NOT NULL, {latency}, {outcomes}, {durations}, PRIMARY KEY (target, minute)) {clustered}""",
    """CREATE INDEX rollup_delivered_minute ON rollup_delivered (minute)""",
    # The same counts per five minutes since 1970: a day of 100 targets is 144,000 rows of minutes.
    """CREATE TABLE rollup_delivered_slot (
        target {integer} NOT NULL, slot {integer} NOT NULL, delivered {integer} NOT NULL, retried {integer} NOT NULL,
        dead {integer} NOT NULL, {latency}, {outcomes}, {durations}, PRIMARY KEY (target, slot)) {clustered}""",
    """CREATE INDEX rollup_delivered_slot_slot ON rollup_delivered_slot (slot)""",
    # Per hour and per day since 1970, added up from those when they are over (delivery/tracking/folding.py).
    """CREATE TABLE rollup_delivered_hour (
        target {integer} NOT NULL, hour {integer} NOT NULL, delivered {integer} NOT NULL, retried {integer} NOT NULL,
        dead {integer} NOT NULL, {latency}, {outcomes}, {durations}, PRIMARY KEY (target, hour)) {clustered}""",
    """CREATE INDEX rollup_delivered_hour_hour ON rollup_delivered_hour (hour)""",
    """CREATE TABLE rollup_delivered_day (
        target {integer} NOT NULL, day {integer} NOT NULL, delivered {integer} NOT NULL, retried {integer} NOT NULL,
        dead {integer} NOT NULL, {latency}, {outcomes}, {durations}, PRIMARY KEY (target, day)) {clustered}""",
    """CREATE INDEX rollup_delivered_day_day ON rollup_delivered_day (day)""",
    # Events per schema version (its row id; 0: none, or one that is not known) and hour since 1970.
    """CREATE TABLE rollup_version (
        type text NOT NULL, hour {integer} NOT NULL, version {integer} NOT NULL, events {integer} NOT NULL,
        PRIMARY KEY (type, hour, version)) {clustered}""",
    """CREATE INDEX rollup_version_hour ON rollup_version (hour)""",
    # Written by the observer, a little behind the log: events per source, type and ten minutes since 1970.
    """CREATE TABLE rollup_source (
        source text NOT NULL, type text NOT NULL, slot {integer} NOT NULL, events {integer} NOT NULL,
        first_at {integer} NOT NULL, last_at {integer} NOT NULL, PRIMARY KEY (source, type, slot)) {clustered}""",
    """CREATE INDEX rollup_source_slot ON rollup_source (slot)""",
    # Readers that follow the log behind its head: where each is, and when it is to look again.
    """CREATE TABLE log_follower (
        name text PRIMARY KEY, seq {integer} NOT NULL, due_at {integer} NOT NULL)""",
    # Where the router is in each partition of a broker's topics, moved by the commit that holds what it read; and who
    # has it. skipped: records that held no event. ends: the offset of the broker's next record, as its router saw it last.
    """CREATE TABLE log_partition (
        bus {integer} NOT NULL, partition {integer} NOT NULL, next {integer} NOT NULL,
        owner text, fence {integer} NOT NULL DEFAULT 0, until {integer} NOT NULL DEFAULT 0,
        skipped {integer} NOT NULL DEFAULT 0, ends {integer} NOT NULL DEFAULT 0,
        PRIMARY KEY (bus, partition)) {clustered}""",
    """CREATE TABLE runner_shift (
        id text PRIMARY KEY, host text NOT NULL, pid {integer} NOT NULL, started_at {integer} NOT NULL,
        seen_at {integer} NOT NULL)""",
)

# 64 lanes for ever: a cursor is per (target, lane), so another number would lose positions.
LANES = 64
LANES_PER_SLOT = 8
SLOTS = LANES // LANES_PER_SLOT
CURSORS = tuple(f"c{n}" for n in range(LANES_PER_SLOT))
# Upper bounds, in milliseconds, of the latency histogram's columns l0…; the last one has none.
LATENCY_BOUNDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 60000)
LATENCIES = tuple(f"l{n}" for n in range(len(LATENCY_BOUNDS) + 1))
# The same bounds for how long attempts took, in the columns d0….
DURATIONS = tuple(f"d{n}" for n in range(len(LATENCY_BOUNDS) + 1))
SLOT_MINUTES = 5
# What else is counted per target and minute; "misconfigured" has those that asked to be left alone, too.
OUTCOMES = ("rejected", "misconfigured", "unknown", "discarded", "bytes")
# All columns of rollup_delivered and its like that count something.
COUNTED = ("delivered", "retried", "dead", *OUTCOMES, *LATENCIES, *DURATIONS)


def lanes_of(slot: int) -> range:
    """The lanes that one lease covers."""
    return range(slot * LANES_PER_SLOT, (slot + 1) * LANES_PER_SLOT)


NAMES = tuple(statement.split()[2] for statement in TABLES if statement.startswith("CREATE TABLE"))


def create(vendor: str) -> list[str]:
    """The CREATE statements for "sqlite" or "postgresql", in order, and the first row of the log's head."""
    return [*tables(vendor), "INSERT INTO log_head (id, seq) VALUES (1, 0)"]


def tables(vendor: str, names: Collection[str] = NAMES) -> list[str]:
    """The CREATE statements of the tables `names` and their indexes for "sqlite" or "postgresql", in order."""
    words = {
        "sqlite": {
            "integer": "INTEGER",
            "bytes": "BLOB",
            "clustered": "WITHOUT ROWID",
            "serial": "INTEGER PRIMARY KEY AUTOINCREMENT",
        },
        "postgresql": {
            "integer": "bigint",
            "bytes": "bytea",
            "clustered": "",
            "serial": "bigserial PRIMARY KEY",
        },
    }[vendor]
    counters = {
        "cursors": counters_of(vendor, CURSORS),
        "latency": counters_of(vendor, LATENCIES),
        "outcomes": counters_of(vendor, OUTCOMES),
        "durations": counters_of(vendor, DURATIONS),
    }
    return [statement.format(**words, **counters) for statement in TABLES if _table_of(statement) in names]


def counters_of(vendor: str, names: Collection[str]) -> str:
    """Column definitions that begin at 0, for "sqlite" or "postgresql"."""
    integer = {"sqlite": "INTEGER", "postgresql": "bigint"}[vendor]
    return ", ".join(f"{name} {integer} NOT NULL DEFAULT 0" for name in names)


def _table_of(statement: str) -> str:
    words = statement.split()
    return words[2] if words[1] == "TABLE" else words[4]


def drop() -> list[str]:
    """The DROP statements, in reverse order."""
    return [f"DROP TABLE {name}" for name in reversed(NAMES)]
