"""Refreshes and endings in any order: whoever comes when, nothing is left that nobody ends."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bus.kv import KeyValue
from identity.oauth.families import Families, Issued
from identity.oauth.judging import REPEATED_WITHIN_S
from schemas.errors import Refusal
from tests.identity.oauth.ground import Clock

OLD, NEW = b"1" * 64, b"2" * 64


class Turns:
    """Lets one of those who wait do its next step: which one, a test says."""

    def __init__(self, choices: list[int]) -> None:
        self._choices = choices
        self._waiting: list[asyncio.Future[None]] = []

    async def step(self) -> None:
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        await waiting

    async def run(self, *those: Coroutine[Any, Any, Any]) -> list[Any]:
        tasks = [asyncio.ensure_future(one) for one in those]
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0)
            if self._waiting:
                choice = self._choices.pop() if self._choices else 0
                self._waiting.pop(choice % len(self._waiting)).set_result(None)
                await asyncio.sleep(0)
        return await asyncio.gather(*tasks, return_exceptions=True)


class MemoryBucket:
    """A bucket in memory: each call is one step."""

    def __init__(self, step: Callable[[], Awaitable[None]]) -> None:
        self._step = step
        self.values: dict[str, KeyValue] = {}
        self._seq = 0

    async def find(self, keys: str) -> KeyValue | None:
        await self._step()
        wanted = keys.split(".")
        return next((one for key, one in self.values.items() if _fits(wanted, key.split("."))), None)

    find_at_leader = find

    async def put(self, key: str, value: bytes, _lifetime_s: float) -> None:
        await self._step()
        self._write(key, value)

    async def replace(self, entry: KeyValue, value: bytes, _lifetime_s: float) -> bool:
        await self._step()
        there = self.values.get(entry.key)
        if there is None or there.seq != entry.seq:
            return False
        self._write(entry.key, value)
        return True

    async def delete(self, key: str) -> None:
        await self._step()
        self.values.pop(key, None)

    def _write(self, key: str, value: bytes) -> None:
        self._seq += 1
        self.values[key] = KeyValue(key, value, self._seq)


class MemoryTokens:
    """Access tokens in memory, by the sign-in that they come from."""

    def __init__(self, step: Callable[[], Awaitable[None]]) -> None:
        self._step = step
        self.live: dict[str, str] = {}
        self._made = 0

    async def issue(self, *_whose: object, sign_in: str, **_more: object) -> str:
        await self._step()
        self._made += 1
        token = f"token {self._made}"
        self.live[token] = sign_in
        return token

    async def take_back(self, token: str, _user: str, _app: str) -> None:
        await self._step()
        self.live.pop(token, None)

    async def end_sign_in(self, _user: str, _app: str, sign_in: str) -> None:
        await self._step()
        for token in [token for token, one in self.live.items() if one == sign_in]:
            await self.take_back(token, "", "")


class FixedKeys:
    is_open = True

    def __init__(self, *keys: bytes) -> None:
        self.accepted = keys

    async def open(self) -> None: ...


class Scene:
    """Two edges, of which one has heard of a new key already; a client that has signed in."""

    def __init__(self, choices: list[int]) -> None:
        self.turns = Turns(choices)
        self.bucket = MemoryBucket(self.turns.step)
        self.tokens = MemoryTokens(self.turns.step)
        self.clock = Clock()
        keys = (FixedKeys(OLD, NEW), FixedKeys(NEW, OLD))
        self.edges = [Families(self.bucket, self.tokens, one, now=self.clock) for one in keys]  # type: ignore[arg-type]

    async def begin(self) -> Issued:
        (issued,) = await self.turns.run(self.edges[0].begin("alice", "fitbit", 7, "", "code"))
        assert isinstance(issued, Issued)
        return issued

    async def refresh(self, token: str, times: int, *also: Coroutine[Any, Any, Any]) -> list[Any]:
        """Refresh at both edges at once, and do something else at the same time."""
        each = [self.edges[n % 2].refresh(token, "fitbit") for n in range(times)]
        return (await self.turns.run(*each, *also))[:times]


@given(st.lists(st.integers(0, 40), max_size=120), st.integers(2, 18))
def test_12_in_any_order_there_is_one_live_successor(choices: list[int], times: int) -> None:
    """However many refresh at once, with whichever key: all get the same, and only that goes on."""

    async def scene() -> None:
        there = Scene(choices)
        begun = await there.begin()
        given = await there.refresh(begun.refresh_token, times)
        assert all(isinstance(one, Issued) for one in given), given
        assert len({one.refresh_token for one in given}) == 1
        assert {one.access_token for one in given} <= set(there.tokens.live)
        assert len(there.bucket.values) == 1
        there.clock.time += REPEATED_WITHIN_S + 1
        (after,) = await there.refresh(given[0].refresh_token, 1)
        assert isinstance(after, Issued)

    asyncio.run(scene())


@given(st.lists(st.integers(0, 40), max_size=120), st.integers(1, 6))
def test_27_in_any_order_an_ending_leaves_nothing(choices: list[int], times: int) -> None:
    """A refresh that is on its way when the sign-in ends leaves no access token that is good."""

    async def scene() -> None:
        there = Scene(choices)
        begun = await there.begin()
        await there.refresh(begun.refresh_token, times, there.edges[1].end_named(begun.family, "alice", "fitbit"))
        assert there.tokens.live == {}
        assert there.bucket.values == {}

    asyncio.run(scene())


@given(st.lists(st.integers(0, 40), max_size=120), st.integers(1, 6))
def test_12_in_any_order_a_stolen_token_ends_everything(choices: list[int], times: int) -> None:
    """Whoever brings the older one while others refresh: afterwards nothing is good any more."""

    async def scene() -> None:
        there = Scene(choices)
        begun = await there.begin()
        (second,) = await there.refresh(begun.refresh_token, 1)
        (third,) = await there.refresh(second.refresh_token, 1)
        stolen = there.edges[1].refresh(begun.refresh_token, "fitbit")
        await there.refresh(third.refresh_token, times, stolen)
        assert there.tokens.live == {}
        assert there.bucket.values == {}
        (refused,) = await there.refresh(third.refresh_token, 1)
        assert isinstance(refused, Refusal)

    asyncio.run(scene())


def _fits(wanted: list[str], key: list[str]) -> bool:
    return all(one in ("*", part) for one, part in zip(wanted, key, strict=True))
