"""Names to addresses without letting one slow name server hold up every target."""

from __future__ import annotations

import asyncio
import socket
import threading
from ipaddress import IPv4Address, IPv6Address, ip_address

from delivery.http.address import IPAddress

LOOPBACK: tuple[IPAddress, ...] = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
MAX_LOOKUPS = 64


class Resolver:
    """Asks the system. One lookup per name at a time, each in a daemon thread.

    Not the loop's executor: it has a handful of threads, a dead name server holds each for ten seconds and more, and
    the interpreter waits for them when it exits.
    """

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Task[list[IPAddress]]] = {}
        self._slots = asyncio.Semaphore(MAX_LOOKUPS)

    async def resolve(self, name: str) -> list[IPAddress]:
        """All addresses of `name` in the order the system prefers. Raises OSError (socket.gaierror) when there is none."""
        if name == "localhost" or name.endswith(".localhost"):
            return list(LOOPBACK)  # RFC 6761 §6.3: never ask a name server for these
        task = self._running.get(name)
        if task is None:
            task = self._running[name] = asyncio.create_task(self._ask(name))
            task.add_done_callback(lambda done: self._forget(name, done))
        # shielded: who gives up first must not take the answer from the others who wait for it
        try:
            return list(await asyncio.shield(task))
        except asyncio.CancelledError:
            if task.cancelled():  # by close(), not because the caller was cancelled
                raise socket.gaierror(socket.EAI_AGAIN, "the client was closed") from None
            raise

    def _forget(self, name: str, task: asyncio.Task[list[IPAddress]]) -> None:
        del self._running[name]
        if not task.cancelled():
            task.exception()  # taken note of, also when everybody has gone

    async def _ask(self, name: str) -> list[IPAddress]:
        loop = asyncio.get_running_loop()
        async with self._slots:
            answer: asyncio.Future[list[IPAddress]] = loop.create_future()

            def settle(addresses: list[IPAddress] | None, error: OSError | None) -> None:
                if answer.done():
                    return
                if error is not None:
                    answer.set_exception(error)
                else:
                    answer.set_result(addresses or [])

            def look_up() -> None:
                result: tuple[list[IPAddress] | None, OSError | None]
                try:
                    result = lookup(name), None
                except OSError as error:
                    result = None, error
                except UnicodeError as error:  # a label that the system's own IDNA step refuses
                    result = None, socket.gaierror(socket.EAI_NONAME, str(error))
                if not loop.is_closed():
                    loop.call_soon_threadsafe(settle, *result)

            threading.Thread(target=look_up, name=f"resolve {name}", daemon=True).start()
            return await answer

    async def close(self) -> None:
        """Gives up the lookups that are running."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def lookup(name: str) -> list[IPAddress]:
    """Addresses of `name` from the system's resolver, each once. Blocks; raises OSError."""
    answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return [ip_address(text) for text in dict.fromkeys(str(answer[4][0]) for answer in answers)]
