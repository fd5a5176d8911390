"""Signatures of deliveries, verified by the reference library of Standard Webhooks and by `cryptography` itself."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook, WebhookVerificationError

from delivery.connectors.config import InvalidConfig
from delivery.connectors.http import signing
from delivery.connectors.http.target import HTTPTarget
from tests.integration.http_scenarios import Run, in_both_loops
from tests.integration.receiver import Receiver, Request, delivery, opened

PUBLISHED_KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BINARY = b'{"specversion":"1.0","id":"1","source":"s","type":"t","datacontenttype":"image/png","data_base64":"iVBO/w=="}'


async def signed(made: object = None, **config: object) -> Request:
    async with Receiver() as receiver, opened(receiver.url(), **config) as target:
        if target.max_batch > 1:
            await target.send_batch([delivery(), delivery(delivery_id="msg_2")])
        else:
            await target.send(made or delivery())  # type: ignore[arg-type]
        [request] = receiver.requests
        return request


def verified_v1a(request: Request, public: str) -> None:
    """Raises InvalidSignature unless one of the request's v1a signatures is of that key (whpk_…)."""
    headers = request.headers
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.body
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix("whpk_")))
    found = [one for one in headers["webhook-signature"].split() if one.startswith("v1a,")]
    for signature in found:
        try:
            return key.verify(base64.b64decode(signature.removeprefix("v1a,")), content)
        except InvalidSignature:
            continue
    raise InvalidSignature


def test_the_published_example_comes_out() -> None:
    signer = signing.Signer({"a": PUBLISHED_KEY}, {})
    line = signer.headers(b"msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert line == b"webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=\r\n"


@in_both_loops
@pytest.mark.parametrize("mode", ["binary", "structured", "batched", "raw"])
def test_the_reference_library_takes_every_mode_for_genuine(run: Run, mode: str) -> None:
    key = signing.generate("hmac")

    async def scenario() -> None:
        request = await signed(mode=mode, signing_keys={"main": key})
        Webhook(key).verify(request.body, request.headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(key).verify(request.body + b" ", request.headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(signing.generate("hmac")).verify(request.body, request.headers)

    run(scenario())


@in_both_loops
def test_several_keys_sign_at_once_and_one_that_ended_does_not(run: Run) -> None:
    now = datetime.now(UTC)
    hmac, old, ended, curve = (signing.generate(kind) for kind in ("hmac", "hmac", "hmac", "ed25519"))  # type: ignore[arg-type]
    until = {
        "old": (now + timedelta(hours=1)).isoformat(),
        "ended": (now - timedelta(seconds=1)).isoformat(),
    }

    async def scenario() -> None:
        keys = {"new": hmac, "old": old, "ended": ended, "curve": curve}
        request = await signed(signing_keys=keys, signing_until=until)
        assert len(request.headers["webhook-signature"].split()) == 3
        for key in (hmac, old):
            Webhook(key).verify(request.body, request.headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(ended).verify(request.body, request.headers)
        verified_v1a(request, signing.key_of(curve).shown)
        with pytest.raises(InvalidSignature):
            verified_v1a(request, signing.key_of(signing.generate("ed25519")).shown)

    run(scenario())


@in_both_loops
def test_a_target_whose_keys_all_ended_sends_no_signature(run: Run) -> None:
    async def scenario() -> None:
        request = await signed(
            signing_keys={"a": signing.generate("hmac")}, signing_until={"a": "2020-01-01T00:00:00Z"}
        )
        assert "webhook-signature" not in request.headers

    run(scenario())


@in_both_loops
def test_signed_data_that_is_no_text_goes_in_structured_mode_so_that_it_can_be_verified(run: Run) -> None:
    key = signing.generate("hmac")

    async def scenario() -> None:
        request = await signed(delivery(BINARY), signing_keys={"a": key})
        assert request.headers["content-type"].startswith("application/cloudevents+json")
        assert json.loads(request.body)["data_base64"] == "iVBO/w=="
        Webhook(key).verify(request.body, request.headers)
        assert (await signed(delivery(BINARY))).body == b"\x89PN\xff"

    run(scenario())


@in_both_loops
def test_the_time_that_is_signed_is_that_of_the_attempt(run: Run) -> None:
    async def scenario() -> None:
        request = await signed(signing_keys={"a": signing.generate("hmac")})
        assert abs(int(request.headers["webhook-timestamp"]) - time.time()) < 5
        assert "." not in request.headers["webhook-id"]

    run(scenario())


@pytest.mark.parametrize(
    ("keys", "until", "field", "part"),
    [
        ({"a": "secret"}, {}, "signing_keys", "is written as whsec_"),
        ({"a": "whsec_%%%"}, {}, "signing_keys", "must be base64"),
        ({"a": "whsec_c2hvcnQ="}, {}, "signing_keys", "24 to 64 bytes"),
        ({"a": "whsk_c2hvcnQ="}, {}, "signing_keys", "32 bytes"),
        (
            {"a": "whsk_" + base64.b64encode(bytes(32) + b"x" * 32).decode()},
            {},
            "signing_keys",
            "belong together",
        ),
        ({"a": "whpk_" + "A" * 43 + "="}, {}, "signing_keys", "receiver's half"),
        ({"a": PUBLISHED_KEY}, {"b": "2027-01-01"}, "signing_until", "no key b"),
        ({"a": PUBLISHED_KEY}, {"a": "tomorrow"}, "signing_until", "is no time"),
        ({str(n): PUBLISHED_KEY for n in range(11)}, {}, "signing_keys", "At most 10"),
    ],
)
def test_a_key_that_cannot_sign_is_refused_when_saved(
    keys: dict[str, str], until: dict[str, str], field: str, part: str
) -> None:
    with pytest.raises(InvalidConfig) as refused:
        HTTPTarget.Config.load({"url": "https://x.example/", "signing_keys": keys, "signing_until": until})
    assert part in refused.value.problems[field]
    assert "whsec_M" not in str(refused.value)


def test_a_seed_alone_makes_the_same_signatures_as_the_whole_key() -> None:
    whole = signing.generate("ed25519")
    seed = "whsk_" + base64.b64encode(base64.b64decode(whole.removeprefix("whsk_"))[:32]).decode()
    assert signing.key_of(whole).sign(b"x") == signing.key_of(seed).sign(b"x")
    assert signing.key_of(whole).shown == signing.key_of(seed).shown
