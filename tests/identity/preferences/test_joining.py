"""A person takes a safe into their model: what moves, what is refused, and what happens where it breaks off."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import pytest
import pytest_asyncio

from bus.as_app import Sending
from identity.preferences.join_notes import TAKEN_UP_AFTER_S, BeingMoved
from identity.preferences.joining import KeyJoining, place_of
from identity.preferences.keys import KeyRecord, PreferenceKeys, StoredKey
from identity.preferences.store import PreferenceStore
from identity.temporary.users import TemporaryUsers
from schemas.commands import Command, Forget
from schemas.errors import Code, Refusal, Transient
from schemas.grants import Consent
from schemas.preferences import PreferencesReply, PutPreferences, SafeFacts
from schemas.queries import Ask, GetContext, Preferences, Query
from schemas.replies import AskReply, Outcome, Refused, Reply
from tests.actors.serving import Llum, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

TERM: Final = "http://registry.gpii.net/common/fontSize"


def body(size: int, **more: Any) -> dict[str, Any]:
    return {"contexts": {"gpii-default": {"name": "Default", "preferences": {TERM: size, **more}}}}


class Town:
    """A worker, Alice, and Carla's key with a safe."""

    def __init__(self, llum: Llum) -> None:
        self.llum = llum
        self.keys = PreferenceKeys(llum.bus)
        self.now = 1_000_000.0
        self._suffix = llum.next_id()
        self.alice, self.bob, self.carla = map(self.named, ("alice", "bob", "carla"))
        self.joining = KeyJoining(self.keys, llum.requests, lambda: self.now)

    def named(self, name: str) -> str:
        """Give a name that no other test has."""
        return f"{name}-{self._suffix}"

    async def put(self, key: str, value: Any, view: str = "flat", **more: Any) -> Outcome:
        """Put as an edge does that looks at the key now."""
        return await self.put_at(await self.keys.find_anew(key), value, view, **more)

    async def put_at(self, record: KeyRecord, value: Any, view: str = "flat", **more: Any) -> Outcome:
        make = None if record.is_joined else SafeFacts(key=record.key, **more)
        command = PutPreferences(
            id=self.llum.next_id(), context=list(record.place), view=view, body=value, mode="merge", make=make
        )
        return await self.llum.requests.send(record.user, record.app, command, 60.0)

    async def sets(self, key: str, app: str | None = None) -> dict[str, Any]:
        record = await self.keys.find_anew(key)
        query = Preferences(context=list(record.place))
        reply = await self.llum.requests.ask(record.user, app or record.app, query)
        assert isinstance(reply, PreferencesReply), reply
        return reply.sets

    async def history(self, key: str) -> list[Any]:
        record = await self.keys.find_anew(key)
        path = [*record.place, "flat", "gpii-default"]
        query = Ask(context=path, view=[TERM], include_evidence=True)
        reply = await self.llum.requests.ask(record.user, "llum", query)
        assert isinstance(reply, AskReply)
        return [(one.value, one.source, one.owner, one.creation_time) for one in reply.components[0].evidence or ()]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def llum(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Llum]:
    """Serve all tests of this file."""
    async with serving(tmp_path_factory.mktemp("llum")) as llum:
        yield llum


@pytest_asyncio.fixture(loop_scope="module")
async def town(llum: Llum) -> Town:
    town = Town(llum)
    await llum.make_person(town.alice, "steps")
    await town.put(town.carla, body(12))
    await town.put(town.carla, body(18, other=[1]), "flat")
    await town.put(town.carla, body(7), "ISO24751")
    return town


async def refused(doing: Awaitable[object], field: str = "") -> Code:
    """Give how something was refused. Of a field, it is said what to do."""
    with pytest.raises(Refusal) as refusal:
        await doing
    assert not field or (refusal.value.error.field, bool(refusal.value.hint)) == (field, True)
    return refusal.value.code


async def test_a_safe_moves_with_its_history(town: Town) -> None:
    """In the order of its ontologies; the key reaches it there, and the safe is to be forgotten."""
    before, told, safe = (
        await town.sets(town.carla),
        await town.history(town.carla),
        await town.keys.safe_user(town.carla),
    )
    record = await town.joining.join(town.alice, town.carla, "card", "passkey")
    assert (record.user, record.place, record.is_joined) == (town.alice, ("Preferences", "_joined", "card"), True)
    after = await town.sets(town.carla)
    assert (after, list(after)) == (before, list(before))
    assert await town.history(town.carla) == [(value, app, town.alice, time) for value, app, _, time in told]
    await town.put(town.carla, body(20))
    assert (await town.sets(town.carla))["flat"] == body(20, other=[1])
    assert safe in await TemporaryUsers(town.llum.bus, now=lambda: town.now + 61).over()
    assert safe not in await TemporaryUsers(town.llum.bus, now=lambda: town.now + 59).over()


async def test_a_joined_key_reaches_nothing_else(town: Town) -> None:
    """Neither the person's other preferences, nor the rest of their model, nor a place beside its own."""
    llum = town.llum
    mine = PutPreferences(id=llum.next_id(), view="flat", body=body(99), mode="replace")
    await llum.do(mine, town.alice)
    record = await town.joining.join(town.alice, town.carla, "card")
    own = await llum.requests.ask(town.alice, record.app, Preferences())
    assert isinstance(own, PreferencesReply)
    assert "flat" not in own.sets
    assert await refused(llum.requests.ask(town.alice, record.app, Ask(context=["c"]))) in (
        Code.PERMISSION_DENIED,
        Code.NO_SUCH_CONTEXT,
    )
    for place in (["Preferences"], ["Preferences", "_joined", "other"], ["c"]):
        outcome = await town.put_at(record._replace(place=tuple(place)), body(1))
        assert isinstance(outcome, Refused)
        assert outcome.error.code is Code.PERMISSION_DENIED


async def test_revoking_its_app_ends_what_a_key_reaches(town: Town) -> None:
    """As the person does on the page of their apps; joining it again undoes nothing."""
    record = await town.joining.join(town.alice, town.carla, "card")
    revoke = Consent(id=town.llum.next_id(), app=record.app, decision="revoked")
    await town.llum.do(revoke, town.alice)
    outcome = await town.put(town.carla, body(1))
    assert isinstance(outcome, Refused)
    assert await refused(town.sets(town.carla)) in (Code.PERMISSION_DENIED, Code.NO_SUCH_APP)
    assert await refused(town.joining.join(town.alice, town.carla, "card")) is Code.ALREADY_EXISTS


async def test_all_keys_of_a_safe_follow(town: Town) -> None:
    """Also the one that it was made for, which has no record; each is an app of its own."""
    safe = await town.keys.safe_user(town.carla)
    for key in (town.named("copy"), town.named("other copy")):
        await town.keys.put_record(StoredKey(key, safe))
    await town.joining.join(town.alice, town.named("copy"), "card")
    records = [await town.keys.find_anew(key) for key in (town.carla, town.named("copy"), town.named("other copy"))]
    assert {(one.user, one.place) for one in records} == {(town.alice, place_of("card"))}
    assert len({one.app for one in records}) == 3
    for key in (town.carla, town.named("copy"), town.named("other copy")):
        assert "flat" in await town.sets(key)
    assert await town.keys.of_user(safe) == []


async def test_what_cannot_be_joined_is_refused(town: Town) -> None:
    """It is said why, and nothing is left of the attempt."""
    join = town.joining.join
    await town.llum.make_person(town.bob, "steps")
    await town.put(town.named("snap"), body(1), type="snapset")
    await town.keys.revoke(town.named("lost"))
    await town.put(town.named("other"), body(2))
    assert await refused(join(town.alice, "nobody's", "card"), "gpiiKey") is Code.NO_SUCH_MODEL
    assert await refused(join("nobody", town.carla, "card")) is Code.NO_SUCH_MODEL
    assert await refused(join(town.alice, town.named("lost"), "card")) is Code.KEY_REVOKED
    assert await refused(join(town.alice, town.named("snap"), "card"), "gpiiKey") is Code.READ_ONLY
    assert await refused(join("_safe-x", town.carla, "card")) is Code.BAD_FIELD
    assert await refused(join(town.alice, town.carla, "_card")) is Code.BAD_FIELD
    assert await refused(join(town.alice, town.carla, "")) is Code.BAD_PATH
    await join(town.alice, town.carla, "card")
    assert await refused(join(town.bob, town.carla, "card")) is Code.ALREADY_EXISTS
    assert await refused(join(town.alice, town.carla, "card")) is Code.ALREADY_EXISTS
    assert await refused(join(town.alice, town.named("other"), "card")) is Code.ALREADY_EXISTS
    await join(town.alice, town.named("other"), "another card")
    assert await town.joining.take_up() == 0


async def test_of_many_who_join_one_does(town: Town) -> None:
    """The others are told so, and have nothing of it."""
    people = [town.alice, town.bob, town.named("dora")]
    for user in people[1:]:
        await town.llum.make_person(user, "steps")
    joins = (KeyJoining(town.keys, town.llum.requests).join(user, town.carla, "card") for user in people)
    done = await asyncio.gather(*joins, return_exceptions=True)
    [winner] = [one for one in done if isinstance(one, KeyRecord)]
    for one in done:
        assert one is winner or isinstance(one, BeingMoved) or _code_of(one) is Code.ALREADY_EXISTS
    assert (await town.keys.find_anew(town.carla)).user == winner.user
    for user in people:
        reply = await town.llum.requests.ask(user, "llum", Preferences(context=list(winner.place)))
        assert isinstance(reply, PreferencesReply)
        assert bool(reply.sets) == (user == winner.user)


def _code_of(error: object) -> Code | None:
    return error.code if isinstance(error, Refusal) else None


class BrokenOffError(Exception):
    """The process ends here."""


class Breaking:
    """Has a process end when it has taken so many steps: commands, queries, and writes to the bucket of keys."""

    def __init__(
        self, town: Town, steps: int, meanwhile: Callable[[], Awaitable[object]], requests: Sending | None = None
    ) -> None:
        self._requests = requests or town.llum.requests
        self._steps = steps
        self._meanwhile = meanwhile
        self.store = store = PreferenceStore(town.llum.bus)
        for name in ("put", "claim", "delete", "swap", "take"):
            setattr(store.bucket, name, self._breaking(getattr(store.bucket, name)))
        self.joining = KeyJoining(PreferenceKeys(town.llum.bus, store), self, lambda: town.now)

    async def _step(self) -> None:
        if self._steps == 0:
            await self._meanwhile()
            raise BrokenOffError
        self._steps -= 1

    def _breaking(self, write: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def written(*given: Any) -> Any:
            await self._step()
            return await write(*given)

        return written

    async def send(
        self, user: str, app: str, command: Command, timeout_s: float = 10.0, *, settle: bool = False
    ) -> Outcome:
        await self._step()
        return await self._requests.send(user, app, command, timeout_s, settle=settle)

    async def ask(self, user: str, app: str, query: Query) -> Reply:
        await self._step()
        return await self._requests.ask(user, app, query)


async def test_it_may_break_off_anywhere(town: Town) -> None:
    """What is told then is either taken, and is there in the end, or its sender is told to come again."""
    size, steps, is_whole = 100, 0, False
    while not is_whole:
        key, size = town.named(f"key-{steps}"), size + 1
        await town.put(key, body(size))
        told = {"size": size}

        async def tell(key: str = key, told: dict[str, int] = told) -> None:
            outcome = await town.put(key, body(told["size"] + 1000))
            if isinstance(outcome, Refused):
                assert outcome.error.code is Code.READ_ONLY
                with pytest.raises(Transient):
                    await town.joining.settled(key, await town.keys.safe_user(key))
            else:
                told["size"] += 1000

        try:
            await Breaking(town, steps, tell).joining.join(town.alice, key, key)
            is_whole = True
        except BrokenOffError:
            town.now += TAKEN_UP_AFTER_S
            await town.joining.take_up()
            record = await town.keys.find_anew(key)
            if not record.is_joined:
                await town.joining.join(town.alice, key, key)
        assert (await town.sets(key))["flat"]["contexts"]["gpii-default"]["preferences"] == {TERM: told["size"]}
        assert len(await town.history(key)) == (1 if told["size"] < 1000 else 2)
        steps += 1
    assert steps > 10
    assert await town.joining.take_up() == 0


async def test_an_edge_that_knew_the_key_earlier_tells_it_at_the_new_place(town: Town) -> None:
    """The copied safe refuses, and it is said where the key leads by now. A snapset is one, and nothing else."""
    stale = await town.keys.find_anew(town.carla)
    await town.joining.join(town.alice, town.carla, "card")
    outcome = await town.put_at(stale, body(1))
    assert isinstance(outcome, Refused)
    assert outcome.error.code is Code.READ_ONLY
    record = await town.joining.settled(town.carla, stale.user)
    assert record is not None
    assert record.user == town.alice
    await town.put(town.named("snap"), body(1), type="snapset")
    assert await town.joining.settled(town.named("snap"), await town.keys.safe_user(town.named("snap"))) is None


async def test_a_join_to_somebody_who_was_forgotten_is_undone(town: Town) -> None:
    """The safe is as it was, and the note names nobody."""
    with pytest.raises(BrokenOffError):
        await Breaking(town, 8, _nothing).joining.join(town.alice, town.carla, "card")
    outcome = await town.put(town.carla, body(30))
    assert isinstance(outcome, Refused)
    assert outcome.error.code is Code.READ_ONLY
    await town.llum.do(Forget(id=town.llum.next_id()), town.alice)
    assert await town.joining.forget_user(town.alice) == 1
    assert await town.joining.forget_user(town.alice) == 0
    assert await town.joining.take_up() == 1
    assert not isinstance(await town.put(town.carla, body(30)), Refused)
    assert await refused(town.llum.requests.ask(town.alice, "llum", GetContext())) is Code.NO_SUCH_MODEL


async def _nothing() -> None:
    pass
