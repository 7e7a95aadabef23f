"""Preferences in a partition with a shard: made anew from the log, and forgotten in part."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from schemas.apps import PREFERENCES_APP
from schemas.parts import ForgetPart
from schemas.preferences import PreferencesReply, PutPreferences, SafeFacts
from schemas.queries import Preferences
from tests.actors.parting import World
from tests.model.safes import body_of, text

FLAT = ["Preferences", "flat", "gpii-default"]
BODIES: list[tuple[str, Any]] = [
    ("flat", {"z": 1, "a": {"y": [1], "x": None}, "gone": 5}),
    ("css", {"contrast": "more"}),
    ("flat", {"z": 2, "a": {"y": [1], "x": None}}),
]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A safe into which three bodies were put, and all of it committed."""
    made = World(tmp_path)
    await made.open()
    for number, (view, preferences) in enumerate(BODIES):
        body, make = body_of(preferences), SafeFacts(key="k")
        await made.accept(PutPreferences(id=f"p{number}", view=view, body=body, make=make), app=PREFERENCES_APP)
    await made.partition.commit_all()
    yield made
    await made.close()


async def sets_of(world: World, **members: Any) -> dict[str, Any]:
    reply = await world.ask(Preferences(**members))
    assert isinstance(reply, PreferencesReply), reply
    return reply.sets


async def test_a_shard_from_the_log_says_the_same(world: World) -> None:
    """In memory, after a crash, and made anew; of now and of each command."""
    said = text(await sets_of(world))
    assert said == text({"flat": body_of(BODIES[2][1]), "css": body_of(BODIES[1][1])})
    before = text(await sets_of(world, as_of_seq=2))
    state = await world.state()
    await world.crash()
    assert text(await sets_of(world)) == said
    await world.make_anew()
    assert await world.state() == state
    assert text(await sets_of(world)) == said
    assert text(await sets_of(world, as_of_seq=2)) == before


async def test_a_setting_is_forgotten_and_the_others_stay(world: World) -> None:
    """With its history, in the log, too; the next put makes it anew."""
    await world.accept(ForgetPart(id="f", context=FLAT, component="z"))
    await world.say_anew()
    await world.erase()
    await world.make_anew()
    left = {"flat": body_of({"a": {"y": [1], "x": None}}), "css": body_of(BODIES[1][1])}
    assert text(await sets_of(world)) == text(left)
    assert "z" not in (await sets_of(world, as_of_seq=1))["flat"]["contexts"]["gpii-default"]["preferences"]
    body = body_of({"z": 3, "a": {"y": [1], "x": None}})
    await world.accept(PutPreferences(id="again", view="flat", body=body), app=PREFERENCES_APP)
    assert text(await sets_of(world)) == text({**left, "flat": body})
