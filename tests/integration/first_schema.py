"""The data plane's tables as the first migrations made them, before any later one changed them."""

from __future__ import annotations

from delivery.log.schema import CURSORS, LATENCIES, counters_of

TABLES = (
    """CREATE TABLE log_head (id {integer} PRIMARY KEY, seq {integer} NOT NULL)""",
    """CREATE TABLE log_floor (bus {integer} PRIMARY KEY, seq {integer} NOT NULL)""",
    """CREATE TABLE log_event (
        seq {integer} PRIMARY KEY, bus {integer} NOT NULL, lane {integer} NOT NULL, key {integer} NOT NULL,
        source text NOT NULL, type text NOT NULL, subject text, ce_id text NOT NULL, time text,
        received_at {integer} NOT NULL, schema_version {integer}, rules_version {integer} NOT NULL, valid {integer},
        raw {bytes} NOT NULL)""",
    """CREATE INDEX log_event_type ON log_event (bus, type, seq)""",
    """CREATE INDEX log_event_lane ON log_event (lane, seq, key)""",
    """CREATE TABLE log_duplicate (
        bus {integer} NOT NULL, ce_id text NOT NULL, source {integer} NOT NULL, seq {integer} NOT NULL,
        digest {integer} NOT NULL, PRIMARY KEY (bus, ce_id, source)) {clustered}""",
    """CREATE TABLE log_route (
        target {integer} NOT NULL, lanes {integer} NOT NULL, seq {integer} NOT NULL, lane {integer} NOT NULL,
        PRIMARY KEY (target, lanes, seq)) {clustered}""",
    """CREATE TABLE log_ready (
        target {integer} NOT NULL, lanes {integer} NOT NULL, seq {integer} NOT NULL,
        PRIMARY KEY (target, lanes)) {clustered}""",
    """CREATE INDEX log_ready_seq ON log_ready (seq)""",
    """CREATE TABLE runner_slot (
        target {integer} NOT NULL, lanes {integer} NOT NULL, owner text, fence {integer} NOT NULL,
        until {integer} NOT NULL, {cursors}, PRIMARY KEY (target, lanes)) {clustered}""",
    """CREATE TABLE runner_flight (
        id {serial}, target {integer} NOT NULL, owner text NOT NULL, at {integer} NOT NULL, seqs text NOT NULL)""",
    """CREATE INDEX runner_flight_target ON runner_flight (target)""",
    """CREATE TABLE runner_exception (
        target {integer} NOT NULL, seq {integer} NOT NULL, lane {integer} NOT NULL, key {integer} NOT NULL,
        state {integer} NOT NULL, blocks {integer} NOT NULL, attempts {integer} NOT NULL, redriven {integer} NOT NULL,
        received_at {integer} NOT NULL, first_at {integer} NOT NULL, due_at {integer}, status {integer}, reason text, raw {bytes} NOT NULL,
        request text, response text, PRIMARY KEY (target, seq)) {clustered}""",
    """CREATE INDEX runner_exception_due ON runner_exception (due_at) WHERE due_at IS NOT NULL""",
    """CREATE INDEX runner_exception_key ON runner_exception (target, key, seq)""",
    """CREATE INDEX runner_exception_dead ON runner_exception (state, seq)""",
    """CREATE TABLE attempt (
        id {serial}, target {integer} NOT NULL, seq {integer} NOT NULL, number {integer} NOT NULL,
        at {integer} NOT NULL, took {integer} NOT NULL, outcome {integer} NOT NULL, status {integer},
        revision {integer} NOT NULL, reason text, response text)""",
    """CREATE INDEX attempt_target ON attempt (target, seq)""",
    """CREATE INDEX attempt_seq ON attempt (seq)""",
    """CREATE TABLE rollup_received (
        bus {integer} NOT NULL, type text NOT NULL, minute {integer} NOT NULL, events {integer} NOT NULL,
        invalid {integer} NOT NULL, bytes {integer} NOT NULL, PRIMARY KEY (bus, type, minute)) {clustered}""",
    """CREATE INDEX rollup_received_minute ON rollup_received (minute)""",
    """CREATE TABLE rollup_delivered (
        target {integer} NOT NULL, minute {integer} NOT NULL, delivered {integer} NOT NULL, retried {integer} NOT NULL,
        dead {integer} NOT NULL, {latency}, PRIMARY KEY (target, minute)) {clustered}""",
    """CREATE INDEX rollup_delivered_minute ON rollup_delivered (minute)""",
    """CREATE TABLE runner_shift (
        id text PRIMARY KEY, host text NOT NULL, pid {integer} NOT NULL, started_at {integer} NOT NULL,
        seen_at {integer} NOT NULL)""",
)


WORDS = {
    "sqlite": {
        "integer": "INTEGER",
        "bytes": "BLOB",
        "clustered": "WITHOUT ROWID",
        "serial": "INTEGER PRIMARY KEY AUTOINCREMENT",
    },
    "postgresql": {"integer": "bigint", "bytes": "bytea", "clustered": "", "serial": "bigserial PRIMARY KEY"},
}


def create(vendor: str) -> list[str]:
    """The CREATE statements for "sqlite" or "postgresql", in order, and the first row of the log's head."""
    counters = {"cursors": counters_of(vendor, CURSORS), "latency": counters_of(vendor, LATENCIES)}
    made = [statement.format(**WORDS[vendor], **counters) for statement in TABLES]
    return [*made, "INSERT INTO log_head (id, seq) VALUES (1, 0)"]
