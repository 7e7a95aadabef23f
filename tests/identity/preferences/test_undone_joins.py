"""A join that cannot be: it leaves nothing, whoever finds that out, and keeps nobody from anything."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest

from bus.requests import Requests
from identity.preferences.join_notes import TAKEN_UP_AFTER_S, BeingMoved, JoinNote, JoinNotes
from identity.preferences.joining import KeyJoining, place_of
from identity.preferences.keys import PreferenceKeys
from identity.preferences.store import PreferenceStore
from schemas.apps import PREFERENCES_APP
from schemas.commands import Command, Import, Tell
from schemas.errors import Code, Error, Refusal, Transient
from schemas.evidence import NewEvidence
from schemas.grants import GrantsReply
from schemas.preferences import SAFE_CONTEXT
from schemas.queries import GetContext, Grants, Query
from schemas.replies import Outcome, Refused, Reply
from tests.identity.preferences.test_joining import Breaking, BrokenOffError, Town, body, refused
from tests.identity.preferences.test_joining import llum as llum
from tests.identity.preferences.test_joining import town as town

pytestmark = pytest.mark.asyncio(loop_scope="module")

FULL: Final = Error(Code.TOO_LARGE, "part 2 of 2: the model takes no more", "contexts", "import the same again")


class Full:
    """A bus on which a person's model takes the first part of an import, and refuses the next one."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def send(self, user: str, app: str, command: Command, timeout_s: float = 10.0, **more: Any) -> Outcome:
        outcome = await self._requests.send(user, app, command, timeout_s, **more)
        return Refused(id=command.id, seq=outcome.seq, error=FULL) if isinstance(command, Import) else outcome

    async def ask(self, user: str, app: str, query: Query) -> Reply:
        return await self._requests.ask(user, app, query)


class Interrupted(Full):
    """One on which something else happens right after the copy."""

    def __init__(self, requests: Requests, meanwhile: Callable[[], Awaitable[object]]) -> None:
        super().__init__(requests)
        self._meanwhile = meanwhile

    async def send(self, user: str, app: str, command: Command, timeout_s: float = 10.0, **more: Any) -> Outcome:
        outcome = await self._requests.send(user, app, command, timeout_s, **more)
        if isinstance(command, Import):
            await self._meanwhile()
        return outcome


class Silent(Full):
    """One on which nobody answers about one person."""

    def __init__(self, requests: Requests, user: str) -> None:
        super().__init__(requests)
        self._user = user

    async def send(self, user: str, app: str, command: Command, timeout_s: float = 10.0, **more: Any) -> Outcome:
        if user == self._user:
            raise Transient(Code.UNAVAILABLE, "nobody answers")
        return await self._requests.send(user, app, command, timeout_s, **more)


def full(town: Town) -> KeyJoining:
    """Give one who joins to a model that is full."""
    return KeyJoining(town.keys, Full(town.llum.requests), lambda: town.now)


async def rights(town: Town) -> list[Any]:
    """Give what apps may do in Alice's model, but for llum's own."""
    reply = await town.llum.requests.ask(town.alice, "llum", Grants())
    assert isinstance(reply, GrantsReply)
    return [one.slices for one in reply.apps if one.role != "owner" and one.slices]


async def note_of(town: Town, user: str, label: str = "card", **more: Any) -> None:
    """Have somebody have begun to join Carla's safe just now."""
    safe = await town.keys.safe_user(town.carla)
    note = JoinNote(safe, town.carla, user, label, "", 0.0, "an attempt", **more)
    await JoinNotes(town.keys.store.bucket, lambda: town.now).write(note)


async def test_a_refused_join_leaves_nothing(town: Town) -> None:
    """At once: neither rights nor half a copy; the key works as before, and can be joined under the same label."""
    told = await town.history(town.carla)
    assert await refused(full(town).join(town.alice, town.carla, "card")) is Code.TOO_LARGE
    assert not isinstance(await town.put(town.carla, {}), Refused)
    assert await rights(town) == []
    place = GetContext(context=list(place_of("card")))
    assert await refused(town.llum.requests.ask(town.alice, "llum", place)) is Code.NO_SUCH_CONTEXT
    await town.joining.join(town.alice, town.carla, "card")
    assert len(await rights(town)) == 1
    assert [one[3] for one in await town.history(town.carla)] == [one[3] for one in told]
    assert not isinstance(await town.put(town.carla, body(22)), Refused)
    assert await town.joining.take_up() == 0


async def test_a_refused_join_may_break_off_anywhere(town: Town) -> None:
    """Whoever sweeps goes on with it, or undoes it: what is told before and after is there."""
    steps, is_whole, joined = 0, False, set()
    while not is_whole:
        key = town.named(f"key-{steps}")
        await town.put(key, body(1))

        async def tell(key: str = key) -> None:
            await town.put(key, body(2))

        breaking = Breaking(town, steps, tell, Full(town.llum.requests))
        try:
            assert await refused(breaking.joining.join(town.alice, key, key)) is Code.TOO_LARGE
            is_whole = True
        except BrokenOffError:
            town.now += TAKEN_UP_AFTER_S
            await town.joining.take_up()
        joined.add((await town.keys.find_anew(key)).is_joined)
        assert not isinstance(await town.put(key, body(3)), Refused)
        assert (await town.sets(key))["flat"] == body(3)
        steps += 1
    assert joined == {True, False}
    assert await town.joining.take_up() == 0


async def test_who_is_late_does_not_go_on_with_what_was_undone(town: Town) -> None:
    """One has copied, and stands still; another finds that it cannot be. What is told then is where the key leads."""

    async def undo_and_tell() -> None:
        town.now += TAKEN_UP_AFTER_S
        assert await full(town).take_up() == 1
        assert not isinstance(await town.put(town.carla, body(77)), Refused)

    late = KeyJoining(town.keys, Interrupted(town.llum.requests, undo_and_tell), lambda: town.now)
    with pytest.raises(BeingMoved):
        await late.join(town.alice, town.carla, "card")
    assert not (await town.keys.find_anew(town.carla)).is_joined
    assert not isinstance(await town.put(town.carla, body(78)), Refused)
    await town.joining.join(town.alice, town.carla, "card")
    assert [one[0] for one in await town.history(town.carla)][-2:] == [77, 78]


async def test_who_finds_it_refused_undoes_nothing_that_another_goes_on_with(town: Town) -> None:
    """The safe stays as the other needs it."""

    async def go_on() -> None:
        town.now += TAKEN_UP_AFTER_S
        assert await town.joining.take_up() == 1

    requests = Interrupted(town.llum.requests, go_on)
    late = KeyJoining(town.keys, Full(requests), lambda: town.now)  # type: ignore[arg-type]
    with pytest.raises(BeingMoved):
        await late.join(town.alice, town.carla, "card")
    assert (await town.keys.find_anew(town.carla)).user == town.alice
    assert len(await rights(town)) == 1
    assert not isinstance(await town.put(town.carla, body(5)), Refused)


@pytest.mark.parametrize("note", [{"label": "other"}, {"user": "bob"}, {"is_undone": True}], ids=str)
async def test_a_safe_that_is_being_joined_is_no_snapset(town: Town, note: dict[str, Any]) -> None:
    """Although it is read-only for the moment. Who joins it meanwhile is told to come again."""
    await note_of(town, **{"user": town.alice, **note})
    moment = Tell(
        id=town.llum.next_id(), context=[SAFE_CONTEXT], component="type", evidence=NewEvidence(value="snapset")
    )
    await town.llum.do(moment, await town.keys.safe_user(town.carla), PREFERENCES_APP)
    with pytest.raises(BeingMoved) as caught:
        await town.joining.join(town.alice, town.carla, "card")
    assert caught.value.hint == "come again in a minute"


@pytest.mark.parametrize("step", ["ask", "claim"])
async def test_who_looked_before_another_was_done_joins_nothing(town: Town, step: str) -> None:
    """The key leads to the other already, and the note that says so is gone."""
    await town.llum.make_person(town.bob, "steps")
    store, requests = PreferenceStore(town.llum.bus), Full(town.llum.requests)
    overtaken = requests if step == "ask" else store.bucket
    take_step = getattr(overtaken, step)

    async def late(*given: Any) -> Any:
        if not (await town.keys.find_anew(town.carla)).is_joined:
            await town.joining.join(town.bob, town.carla, "bob's")
        return await take_step(*given)

    setattr(overtaken, step, late)
    joining = KeyJoining(PreferenceKeys(town.llum.bus, store), requests, lambda: town.now)
    assert await refused(joining.join(town.alice, town.carla, "card")) is Code.ALREADY_EXISTS
    assert (await town.keys.find_anew(town.carla)).user == town.bob
    assert await rights(town) == []
    assert not isinstance(await town.put(town.carla, body(6)), Refused)


async def test_who_looked_before_another_was_at_the_place_disturbs_nothing_there(town: Town) -> None:
    """Also where the process ends when the note is written, and whoever sweeps takes it up."""
    other = town.named("other")
    await town.put(other, body(8))
    for steps in (2, 3, 100):
        breaking = Breaking(town, steps, _nothing, Full(town.llum.requests))
        bucket = breaking.store.bucket
        claim = bucket.claim

        async def late(*given: Any, claim: Callable[..., Awaitable[Any]] = claim) -> Any:
            if not (await town.keys.find_anew(town.carla)).is_joined:
                await town.joining.join(town.alice, town.carla, "card")
            return await claim(*given)

        bucket.claim = late  # type: ignore[method-assign]
        with pytest.raises((BrokenOffError, Refusal)):
            await breaking.joining.join(town.alice, other, "card")
        town.now += TAKEN_UP_AFTER_S
        await full(town).take_up()
        assert await town.joining.take_up() == 0
        assert (await town.sets(town.carla))["flat"] == body(18, other=[1])
        assert not (await town.keys.find_anew(other)).is_joined
        assert not isinstance(await town.put(other, {}), Refused)


async def test_a_note_that_cannot_go_on_keeps_no_other(town: Town) -> None:
    """Whichever comes first: of two, the one whose person answers is done."""
    await town.llum.make_person(town.bob, "steps")
    other = town.named("other")
    await town.put(other, body(8))
    for user, key in ((town.alice, town.carla), (town.bob, other)):
        with pytest.raises(BrokenOffError):
            await Breaking(town, 8, _nothing).joining.join(user, key, "card")
    town.now += TAKEN_UP_AFTER_S
    for silent, done in ((town.alice, other), (town.bob, town.carla)):
        joining = KeyJoining(town.keys, Silent(town.llum.requests, silent), lambda: town.now)
        await joining.take_up()
        assert (await town.keys.find_anew(done)).is_joined
        town.now += TAKEN_UP_AFTER_S
    assert await town.joining.take_up() == 0


async def _nothing() -> None:
    pass
