"""From publishing to an HTTP target, against LocalStack's PutEvents → rule → API destination, in the same run.

The same events in batches of ten, which is what one PutEvents takes, over the same number of connections from the same
generator, to the same target, with the same filter. LocalStack holds events in memory; ours are on disk before they are
answered, and every attempt is on record.
"""

from __future__ import annotations

import http.client
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import uvloop

from tests.benchmarks import backlog
from tests.benchmarks.capacity import count, publishing_token
from tests.benchmarks.events import event, request
from tests.benchmarks.figures import figure, note
from tests.benchmarks.ingest import PATH
from tests.benchmarks.load import Load
from tests.benchmarks.reference import peers
from tests.benchmarks.servers import process, sink, wait_for
from tests.benchmarks.usage import processor_time
from tests.processes import Towns, eventually, free_port

REPETITIONS = 5
BATCH, CONNECTIONS = 10, 8
OURS, THEIRS = 20_000, 400  # events
CREDENTIALS = "AWS4-HMAC-SHA256 Credential=test/20261127/us-east-1/events/aws4_request, SignedHeaders=host, Signature=test"


class Run(NamedTuple):
    """Delivered events per second from first publish to last arrival, and microseconds of server CPU for each."""

    rate: float
    cpu_us: float


def run(towns: Towns) -> None:
    """Prints the figures against LocalStack."""
    if reason := peers.missing():
        note(f"localstack is not measured: {reason}")
        return
    ours, theirs = [], []
    with _localstack() as (gateway, pid), sink() as their_sink, sink() as our_sink, towns.new() as town:
        _their_rule(gateway, their_sink)
        backlog.store(town, our_sink, 0, pattern=backlog.FILTER, mode="binary")
        token = publishing_token(town)
        town.start("web", "worker")
        pids = [one.pid for one in town.processes.values()]
        _measure(gateway, their_sink, [pid], _put_events("warm", 40))
        _measure(town.port, our_sink, pids, _batches("warm", 2000, token))
        for repetition in range(REPETITIONS):
            note(f"localstack, {repetition + 1} of {REPETITIONS}")
            theirs.append(_measure(gateway, their_sink, [pid], _put_events(f"r{repetition}", THEIRS)))
            ours.append(_measure(town.port, our_sink, pids, _batches(f"r{repetition}", OURS, token)))
    against = f"{peers.LOCALSTACK}, PutEvents of {BATCH} to an API destination, {CONNECTIONS} connections"
    figure("publish to HTTP target, of LocalStack", [one.rate for one in ours], [one.rate for one in theirs],
           against, 60, "delivered events/s")  # fmt: skip
    figure("publish to HTTP target, of LocalStack, by processor time", [1e6 / one.cpu_us for one in ours],
           [1e6 / one.cpu_us for one in theirs], against, 60, "delivered events per second of server CPU",
           cpu_us=round(statistics.median(one.cpu_us for one in ours)),
           reference_cpu_us=round(statistics.median(one.cpu_us for one in theirs)))  # fmt: skip


def _measure(port: int, target: int, pids: list[int], requests: list[bytes]) -> Run:
    expected = len(requests) * BATCH
    arrived, spent = count(target), processor_time(*pids)
    began = time.time()
    said = uvloop.run(Load(requests, CONNECTIONS, 300).run(port))
    assert said["left"] == 0, said
    assert set(said["statuses"]) <= {200, 202}, said  # type: ignore[call-overload]
    ended = [time.time()]

    def all_arrived() -> bool:
        ended[0] = time.time()
        return count(target) >= arrived + expected

    eventually(all_arrived, "every event arrives", within=120)
    return Run(expected / (ended[0] - began), (processor_time(*pids) - spent) / expected * 1e6)


def _batches(prefix: str, events: int, token: str) -> list[bytes]:
    kind = "application/cloudevents-batch+json"
    return [
        request(PATH, json.dumps(part).encode(), kind, token) for part in _parts(prefix, events)
    ]  # fmt: skip


def _put_events(prefix: str, events: int) -> list[bytes]:
    """The same as PutEvents; LocalStack looks at no signature."""
    requests = []
    for part in _parts(prefix, events):
        entries = [
            {"Source": one["source"], "DetailType": one["type"], "Detail": json.dumps(one["data"])}
            for one in part
        ]
        body = json.dumps({"Entries": entries}).encode()
        head, _, rest = request("/", body, "application/x-amz-json-1.1").partition(b"\r\n")
        aws = f"x-amz-target: AWSEvents.PutEvents\r\nauthorization: {CREDENTIALS}\r\n".encode()
        requests.append(head + b"\r\n" + aws + rest)
    return requests


def _parts(prefix: str, events: int) -> Iterator[list[dict[str, Any]]]:
    for first in range(0, events, BATCH):
        yield [event(f"{prefix}-{number}", number % 1000) for number in range(first, first + BATCH)]


@contextmanager
def _localstack() -> Iterator[tuple[int, int]]:
    """LocalStack with what events need, as quiet as it can be told to be; yields its port and its process id."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="localstack-") as folder:
        settings = {
            "GATEWAY_LISTEN": f"127.0.0.1:{port}",
            "SERVICES": "events,secretsmanager,sqs,iam,sts,kms",
            "DNS_ADDRESS": "0",
            "DISABLE_EVENTS": "1",  # tells its makers nothing
            "SKIP_SSL_CERT_DOWNLOAD": "1",
            "LS_LOG": "error",
            "HOME": folder,
            "XDG_CACHE_HOME": folder,
            "TMPDIR": folder,
            "PYTHONPATH": "",
        }
        with process([peers.script("localstack_server.py")], settings, python=str(peers.PYTHON)) as running:
            wait_for(port, "/_localstack/health")
            yield port, running.pid


def _their_rule(port: int, target: int) -> None:
    """A connection, an API destination and a rule with our filter."""
    made = _call(port, "CreateConnection", Name="c", AuthorizationType="API_KEY",
                 AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": "x-key", "ApiKeyValue": "secret"}})  # fmt: skip
    made = _call(port, "CreateApiDestination", Name="d", ConnectionArn=made["ConnectionArn"], HttpMethod="POST",
                 InvocationEndpoint=f"http://127.0.0.1:{target}/hook")  # fmt: skip
    pattern = {"detail-type": backlog.FILTER["type"], "detail": backlog.FILTER["data"]}
    _call(port, "PutRule", Name="r", EventPattern=json.dumps(pattern))
    role = "arn:aws:iam::000000000000:role/any"
    _call(
        port, "PutTargets", Rule="r", Targets=[{"Id": "1", "Arn": made["ApiDestinationArn"], "RoleArn": role}]
    )


def _call(port: int, action: str, **values: Any) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": f"AWSEvents.{action}",
        "authorization": CREDENTIALS,
    }
    connection.request("POST", "/", json.dumps(values), headers)
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    assert answer.status == 200, said
    return dict(json.loads(said))
