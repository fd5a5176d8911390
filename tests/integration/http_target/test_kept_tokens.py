"""Access tokens in the database: fetched by one for all processes, dropped when refused, cleared away when old."""

from __future__ import annotations

import asyncio
import time

from delivery.connectors.remembered import Held
from delivery.connectors.spi import Delivered
from delivery.models import AccessToken
from delivery.peers.tokens import KeptTokens, forget_old
from tests.databases import Database
from tests.integration.http_target.test_authentication import CLIENT, Login
from tests.integration.receiver import Receiver, delivery, opened


def test_one_of_many_fetches_and_the_others_wait_for_it(log_database: Database) -> None:
    async def scenario() -> None:
        kept = KeptTokens()
        claims = await asyncio.gather(*[kept.claim("a", 5) for _ in range(8)])
        assert sorted(claims) == [False] * 7 + [True]
        assert await kept.held("a") is None
        await kept.keep("a", Held("t1", time.time() + 60))
        found = await kept.held("a")
        assert found is not None
        assert found.token == "t1"
        assert await kept.claim("a", 5)

    asyncio.run(scenario())


def test_a_claim_of_somebody_who_died_lapses(log_database: Database) -> None:
    kept = KeptTokens()
    assert asyncio.run(kept.claim("a", 60))
    assert not asyncio.run(kept.claim("a", 60))
    AccessToken.objects.update(claimed_until=time.time() - 1)
    assert asyncio.run(kept.claim("a", 60))


def test_only_the_token_that_was_refused_is_dropped(log_database: Database) -> None:
    async def scenario() -> None:
        kept = KeptTokens()
        await kept.claim("a", 5)
        await kept.keep("a", Held("new", time.time() + 60))
        await kept.drop("a", "old")
        assert await kept.held("a") is not None
        await kept.drop("a", "new")
        assert await kept.held("a") is None

    asyncio.run(scenario())


def test_targets_share_a_token_through_the_database(log_database: Database) -> None:
    login = Login()

    async def scenario() -> None:
        async with Receiver(login.token) as server, Receiver(login.hook) as hook:
            for _ in range(3):
                config = {"token_url": server.url(), **CLIENT}
                async with opened(hook.url(), tokens=KeptTokens(), **config) as target:
                    assert isinstance(await target.send(delivery()), Delivered)

    asyncio.run(scenario())
    assert len(login.asked) == 1
    [kept] = AccessToken.objects.all()
    assert "s3cret" not in kept.name


def test_old_tokens_are_cleared_away(log_database: Database) -> None:
    now = time.time()
    AccessToken.objects.create(name="old", token="x", ends=now - 90_000)
    AccessToken.objects.create(name="used", token="x", ends=now + 60)
    AccessToken.objects.create(name="being fetched", claimed_until=now + 5)
    assert forget_old(now) == 1
    assert {one.name for one in AccessToken.objects.all()} == {"used", "being fetched"}
