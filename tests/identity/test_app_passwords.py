"""Passwords of apps, in a real bucket."""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from pathlib import Path

import pytest

from bus.connection import Bus
from bus.jetstream import JetStream
from bus.subjects import APP_PASSWORD_BUCKET
from identity import app_passwords, hashing, throttle
from identity.app_passwords import AppPasswords
from schemas.errors import Code, Refusal, Transient
from tests.nats_server import installed_server
from tests.waiting import DEADLINE_S, eventually, until


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[Bus]:
    async with installed_server(tmp_path, partitions=4) as server:
        bus = await Bus.connect(server.url_as("operator"), name="test")
        yield bus
        await bus.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(bus: Bus, clock: Clock) -> AppPasswords:
    return AppPasswords(bus, clock, clock)


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The passwords that argon2 was asked about."""
    seen: list[bytes] = []
    verify = hashing._verify

    def watched(stored: str, password: bytes) -> bool:
        seen.append(password)
        return verify(stored, password)

    monkeypatch.setattr(hashing, "_verify", watched)
    return seen


async def set_password(keys: AppPasswords, user: str, app: str, password: str) -> None:
    await keys.store(user, app, 7, await keys.hashed(password))


async def test_only_the_right_password_of_the_right_app_is_right(keys: AppPasswords) -> None:
    """Neither another password, nor that of another app or user, nor any password where none was set."""
    await set_password(keys, "alice", "scale", "one")
    await set_password(keys, "alice", "lamp", "two")
    assert await keys.verify("alice", "scale", "one")
    assert not await keys.verify("alice", "scale", "two")
    assert not await keys.verify("alice", "door", "one")
    assert not await keys.verify("bob", "scale", "one")
    assert not await keys.verify("alice", "scale", "")


async def test_a_dot_does_not_lead_to_another_key(keys: AppPasswords) -> None:
    """Ids that cannot be ids have no password and get none."""
    await set_password(keys, "alice", "scale", "one")
    for user, app in [("alice.scale", ""), ("", "alice.scale"), ("alice", ">"), ("alice", "*"), ("alice", "scale ")]:
        assert not await keys.verify(user, app, "one")
        with pytest.raises(Refusal):
            await set_password(keys, user, app, "x")


@pytest.mark.parametrize("password", ["", "x" * 1025, "\ud800"])
async def test_what_cannot_be_a_password_is_refused(keys: AppPasswords, password: str) -> None:
    """It is never right either."""
    with pytest.raises(Refusal) as caught:
        await set_password(keys, "alice", "scale", password)
    assert (caught.value.code, caught.value.error.field) == (Code.BAD_FIELD, "password")
    assert not await keys.verify("alice", "scale", password)


async def test_30_only_an_argon2id_hash_of_an_apps_password_is_stored(keys: AppPasswords, bus: Bus) -> None:
    """Two apps with the same password have different hashes."""
    await set_password(keys, "alice", "scale", "same secret")
    await set_password(keys, "alice", "lamp", "same secret")
    stored = []
    for app in ("scale", "lamp"):
        found = await JetStream(bus).direct_last(f"KV_{APP_PASSWORD_BUCKET}", f"$KV.{APP_PASSWORD_BUCKET}.alice.{app}")
        assert found is not None
        stored.append(found.data)
    assert all(b'"$argon2id$' in one and b"secret" not in one for one in stored)
    assert stored[0] != stored[1]


async def test_a_password_that_was_right_is_not_computed_again(
    keys: AppPasswords, clock: Clock, computed: list[bytes]
) -> None:
    """As long as the stored hash is the same, for ten minutes."""
    await set_password(keys, "alice", "scale", "one")
    for _ in range(5):
        assert await keys.verify("alice", "scale", "one")
        clock.now += 1
    assert computed == [b"one"]
    clock.now += app_passwords.REMEMBERED_S
    assert await keys.verify("alice", "scale", "one")
    assert computed == [b"one", b"one"]


async def test_a_password_deleted_here_is_wrong_at_once(keys: AppPasswords) -> None:
    """So is one that was replaced."""
    await set_password(keys, "alice", "scale", "one")
    assert await keys.verify("alice", "scale", "one")
    await set_password(keys, "alice", "scale", "two")
    assert not await keys.verify("alice", "scale", "one")
    assert await keys.verify("alice", "scale", "two")
    await keys.delete("alice", "scale")
    assert not await keys.verify("alice", "scale", "two")


async def test_a_password_deleted_elsewhere_is_wrong_at_once(keys: AppPasswords, bus: Bus) -> None:
    """Without a watch the bucket is asked each time."""
    await set_password(keys, "alice", "scale", "one")
    assert await keys.verify("alice", "scale", "one")
    await AppPasswords(bus).delete("alice", "scale")
    assert not await keys.verify("alice", "scale", "one")


async def test_a_password_is_that_of_a_registration(keys: AppPasswords) -> None:
    """It says of which; that of an earlier one is deleted without touching that of a later one."""
    await keys.store("alice", "scale", 12, await keys.hashed("one"))
    assert await keys.verify("alice", "scale", "one") == 12
    await keys.delete("alice", "scale", before=12)
    assert await keys.verify("alice", "scale", "one") == 12
    await keys.delete("alice", "scale", before=13)
    assert await keys.verify("alice", "scale", "one") is None


@pytest.mark.parametrize(("user", "app"), [("alice", "_admin"), ("alice", "_sign_in"), ("_", "scale")])
async def test_llum_itself_has_no_password(keys: AppPasswords, user: str, app: str) -> None:
    """Nobody can speak as it."""
    with pytest.raises(Refusal):
        await keys.store(user, app, 7, await keys.hashed("one"))


async def test_passwords_are_listed_without_themselves(keys: AppPasswords, clock: Clock) -> None:
    """With their app, when they were made, and when they were used."""
    await set_password(keys, "alice", "scale", "one")
    await set_password(keys, "alice", "lamp", "two")
    await set_password(keys, "bob", "scale", "one")
    made, clock.now = clock.now, clock.now + 100
    assert await keys.verify("alice", "scale", "one")

    async def is_noted() -> bool:
        return [one.used for one in await keys.list("alice")] == [None, clock.now]

    await eventually(is_noted)
    listed = await keys.list("alice")
    assert [(one.app, one.registration, one.made) for one in listed] == [("lamp", 7, made), ("scale", 7, made)]
    assert len({one.id for one in listed}) == 2
    await keys.delete("alice", "scale")
    assert [one.app for one in await keys.list("alice")] == ["lamp"]


async def test_all_passwords_of_a_user_are_forgotten(keys: AppPasswords) -> None:
    """And nobody else's."""
    for user, app in (("alice", "scale"), ("alice", "lamp"), ("bob", "scale")):
        await set_password(keys, user, app, "one")
    assert await keys.verify("alice", "scale", "one")
    assert await keys.erase_user("alice") == 2
    assert not await keys.verify("alice", "scale", "one")
    assert await keys.list("alice") == []
    assert await keys.verify("bob", "scale", "one")


async def test_guessing_is_slowed_down(keys: AppPasswords, clock: Clock, computed: list[bytes]) -> None:
    """After ten wrong ones further ones are not even computed; the next may come after six seconds."""
    await set_password(keys, "alice", "scale", "one")
    for guess in range(throttle.ATTEMPTS):
        assert not await keys.verify("alice", "scale", f"guess {guess}")
    with pytest.raises(Transient) as caught:
        await keys.verify("alice", "scale", "one")
    assert caught.value.code is Code.RATE_LIMITED
    assert caught.value.retry_after_s == pytest.approx(throttle.ATTEMPT_EVERY_S)
    assert len(computed) == throttle.ATTEMPTS
    clock.now += throttle.ATTEMPT_EVERY_S
    assert await keys.verify("alice", "scale", "one")


async def test_guesses_at_the_same_time_are_counted(keys: AppPasswords, computed: list[bytes]) -> None:
    """No more of them get through than one after the other."""
    await set_password(keys, "alice", "scale", "one")
    guesses = [keys.verify("alice", "scale", f"guess {guess}") for guess in range(30)]
    found = await asyncio.gather(*guesses, return_exceptions=True)
    assert len(computed) == throttle.ATTEMPTS
    assert sum(isinstance(one, Transient) for one in found) == 20


async def test_a_device_that_knows_its_password_is_not_slowed_down_by_guesses(keys: AppPasswords) -> None:
    """It is remembered, and right passwords are not counted."""
    await set_password(keys, "alice", "scale", "one")
    for _ in range(3 * throttle.ATTEMPTS):
        assert await keys.verify("alice", "scale", "one")
    for _ in range(throttle.ATTEMPTS):
        assert not await keys.verify("alice", "scale", "no")
    assert await keys.verify("alice", "scale", "one")


HERE, THERE = "192.0.2.1", "192.0.2.2"


async def test_guesses_from_elsewhere_keep_out_no_device(keys: AppPasswords, clock: Clock) -> None:
    """Not even one that has never been here. Each address has its own attempts."""
    await set_password(keys, "alice", "scale", "one")
    for guess in range(throttle.ATTEMPTS):
        assert not await keys.verify("alice", "scale", f"guess {guess}", THERE)
    assert await is_limited(keys.verify("alice", "scale", "one", THERE))
    assert await keys.verify("alice", "scale", "one", HERE)


async def test_guesses_from_its_own_address_do_not_keep_out_a_device_that_was_here(
    keys: AppPasswords, clock: Clock
) -> None:
    """Its password is no guess, also when it must be computed again. A changed one is one."""
    await set_password(keys, "alice", "scale", "one")
    assert await keys.verify("alice", "scale", "one", HERE)
    for guess in range(throttle.ATTEMPTS):
        assert not await keys.verify("alice", "scale", f"guess {guess}", HERE)
    assert await keys.verify("alice", "scale", "one", HERE)
    for _ in range(2):
        clock.now += app_passwords.REMEMBERED_S + 1
        for guess in range(throttle.ATTEMPTS):
            assert not await keys.verify("alice", "scale", f"guess {guess}", HERE)
        assert await is_limited(keys.verify("alice", "scale", "no", HERE))
        assert await keys.verify("alice", "scale", "one", HERE)
    await set_password(keys, "alice", "scale", "two")
    assert await is_limited(keys.verify("alice", "scale", "one", HERE))


async def test_a_lost_bus_does_not_make_guesses_of_right_passwords(
    keys: AppPasswords, bus: Bus, computed: list[bytes]
) -> None:
    """What is stored is looked at again, and nothing need be computed if it is the same."""
    await set_password(keys, "alice", "scale", "one")
    assert await keys.verify("alice", "scale", "one", HERE)
    for lost in bus.on_disconnect:
        lost()
    assert await keys.verify("alice", "scale", "one", HERE)
    assert computed == [b"one"]
    await AppPasswords(bus).delete("alice", "scale")
    for lost in bus.on_disconnect:
        lost()
    assert not await keys.verify("alice", "scale", "one", HERE)


async def test_one_address_has_few_guesses_for_all_names(
    keys: AppPasswords, clock: Clock, computed: list[bytes]
) -> None:
    """Whether there are such names or not; right ones are not counted, and they come back with time."""
    await set_password(keys, "alice", "scale", "one")
    for number in range(throttle.SOURCE_ATTEMPTS):
        assert not await keys.verify("alice", f"made-up-{number}", "guess", THERE)
    before = len(computed)
    assert await is_limited(keys.verify("alice", "another", "guess", THERE))
    assert await is_limited(keys.verify("alice", "scale", "one", THERE))
    assert len(computed) == before, "nothing is computed for it"
    for _ in range(2 * throttle.SOURCE_ATTEMPTS):
        assert await keys.verify("alice", "scale", "one", HERE)
    clock.now += throttle.SOURCE_ATTEMPT_EVERY_S
    assert await keys.verify("alice", "scale", "one", THERE)


async def is_limited(verifying: Coroutine[None, None, object]) -> bool:
    try:
        await verifying
    except Transient as error:
        return error.code is Code.RATE_LIMITED
    return False


async def test_what_is_remembered_of_one_app_outlives_the_change_of_another(
    keys: AppPasswords, computed: list[bytes]
) -> None:
    """A registration with a password, a new one, a deletion; only the app's own change makes it be computed again."""
    await set_password(keys, "alice", "scale", "one")
    assert await keys.verify("alice", "scale", "one")
    await set_password(keys, "alice", "lamp", "two")
    await set_password(keys, "bob", "scale", "three")
    await keys.delete("alice", "lamp")
    await keys.erase_user("bob")
    assert await keys.verify("alice", "scale", "one")
    assert computed == [b"one"]
    await set_password(keys, "alice", "scale", "one")
    assert await keys.verify("alice", "scale", "one")
    assert computed == [b"one", b"one"]


async def test_a_password_that_is_replaced_while_it_is_verified_is_not_remembered(
    keys: AppPasswords, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changes of other apps do not matter."""
    held = threading.Event()
    verify = hashing._verify

    def slowly(stored: str, password: bytes) -> bool:
        right = verify(stored, password)
        assert held.wait(DEADLINE_S)
        return right

    await set_password(keys, "alice", "scale", "one")
    with monkeypatch.context() as patched:
        patched.setattr(hashing, "_verify", slowly)
        verifying = asyncio.create_task(keys.verify("alice", "scale", "one"))
        await until(lambda: keys._hashing._under_way, "it is computed")
        await set_password(keys, "alice", "scale", "two")
        held.set()
        assert await verifying
    assert not await keys.verify("alice", "scale", "one")


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Argon2 takes until this is set."""
    event = threading.Event()
    verify = hashing._verify

    def slowly(stored: str, password: bytes) -> bool:
        assert event.wait(DEADLINE_S)
        return verify(stored, password)

    monkeypatch.setattr(hashing, "_verify", slowly)
    yield event
    event.set()


async def test_names_that_are_made_up_take_no_place_of_those_that_exist(
    keys: AppPasswords, held: threading.Event
) -> None:
    """Wherever they come from: those that are too many are told to come again, and the others are computed."""
    await set_password(keys, "alice", "scale", "one")
    many = 3 * (hashing.MAX_AT_ONCE + hashing.MAX_WAITING)
    made_up = [asyncio.create_task(keys.verify("alice", f"app{n}", "x", f"192.0.2.{n}")) for n in range(many)]
    await until(lambda: sum(one.done() for one in made_up) == many - hashing.MAX_OF_UNKNOWN, "few wait")
    right = asyncio.create_task(keys.verify("alice", "scale", "one", HERE))
    held.set()
    assert await right
    found = await asyncio.gather(*made_up, return_exceptions=True)
    busy = [one for one in found if isinstance(one, Transient)]
    assert len(busy) == many - hashing.MAX_OF_UNKNOWN
    assert {one.code for one in busy} == {Code.UNAVAILABLE}


async def test_guesses_for_names_that_exist_take_no_place_of_those_that_were_right(
    keys: AppPasswords, clock: Clock, held: threading.Event
) -> None:
    """Few are hashed at once and few wait; a device that was here before has places of its own."""
    held.set()
    await set_password(keys, "alice", "scale", "one")
    await set_password(keys, "alice", "lamp", "two")
    assert await keys.verify("alice", "scale", "one", HERE)
    clock.now += app_passwords.REMEMBERED_S + 1
    held.clear()
    most = hashing.MAX_AT_ONCE + hashing.MAX_WAITING
    guesses = [asyncio.create_task(keys.verify("alice", "lamp", "x", f"192.0.2.{n}")) for n in range(most + 10)]
    await until(lambda: sum(one.done() for one in guesses) == 10, "there is no more place")
    right = asyncio.create_task(keys.verify("alice", "scale", "one", HERE))
    await until(lambda: keys._hashing._under_way == most + 1, "it has a place")
    held.set()
    assert await right
    found = await asyncio.gather(*guesses, return_exceptions=True)
    assert [one.code for one in found if isinstance(one, Transient)] == [Code.UNAVAILABLE] * 10
    assert len(threads_of(keys)) <= hashing.MAX_AT_ONCE


def threads_of(keys: AppPasswords) -> set[object]:
    return keys._hashing._threads._threads  # type: ignore[return-value]
