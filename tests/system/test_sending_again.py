"""The same command sent again changes nothing and is answered with its first outcome, however late it comes."""

import asyncio
import json
import shutil
from typing import Any

from tests.system.harness import Llum
from tests.system.plain_bus import PlainBus, tell
from tests.system.plain_http import PlainHttp, tell_body

PATH = ["Personal", "firstname"]


def first_name(command_id: str, value: str = "Al") -> dict[str, Any]:
    return tell(command_id, ["Personal"], "firstname", value)


NOWHERE = tell("into-nothing", ["Personal"], "shoe size", "43")

MAKE_CONTEXT = {"verb": "make_context", "id": "make-it", "context": [], "name": "Garden"}


def again(first: dict[str, Any]) -> dict[str, Any]:
    """Say what a repeat is answered with."""
    return first | {"repeated": True}


async def values_told(bus: PlainBus, user: str, app: str) -> list[Any]:
    evidence = await bus.evidence(user, "llum", PATH)
    return [piece["value"] for piece in evidence if piece["source"] == app]


def restart(llum: Llum) -> None:
    llum.stop()
    llum.start()


def crash(llum: Llum) -> None:
    llum.kill_everything()
    llum.start()


def rebuild(llum: Llum) -> None:
    """Start without shards. All that is known comes from the log then, as it would after any length of time."""
    llum.stop()
    shutil.rmtree(llum.data_dir / "shards")
    llum.start()


async def test_a_repeat_at_once_or_after_any_restart_gets_the_first_outcome(installation):
    """Accepted, with a result, and refused; at once, after a restart, after a crash, and when rebuilt from the log."""
    llum = installation
    await asyncio.to_thread(llum.start)
    await asyncio.to_thread(llum.run, "admin", "person", "add", "alice")
    commands = [first_name("tell-1"), MAKE_CONTEXT, NOWHERE]
    async with PlainBus.connect(llum.nats) as bus:
        first = [await bus.send("alice", "llum", command) for command in commands]
        assert [outcome["outcome"] for outcome in first] == ["accepted", "accepted", "refused"]
        assert first[2]["error"]["code"] == "no_such_component"
        assert not any(outcome.get("repeated") for outcome in first)
        told = await values_told(bus, "alice", "llum")
        assert [await bus.send("alice", "llum", command) for command in commands] == list(map(again, first))
    for interrupt in (restart, crash, rebuild):
        await asyncio.to_thread(interrupt, llum)
        async with PlainBus.connect(llum.nats) as bus:
            repeats = [await bus.send("alice", "llum", command) for command in commands]
            assert repeats == list(map(again, first)), interrupt.__name__
            assert await values_told(bus, "alice", "llum") == told
            other = await bus.send("alice", "llum", first_name("tell-1", "Eve"))
            assert (other["outcome"], other["error"]["code"]) == ("refused", "id_reused"), interrupt.__name__
            assert await values_told(bus, "alice", "llum") == told


async def test_another_command_under_a_used_id_is_a_conflict(shared_llum, shared_bus):
    """Be it of another verb: it is refused and not applied, and the first one keeps its outcome."""
    shared_llum.run("admin", "person", "add", "bea")
    first = await shared_bus.accept("bea", "llum", first_name("mine", "Bea"))
    for other in (
        first_name("mine", "Eve"),
        {"verb": "make_context", "id": "mine", "context": [], "name": "Cellar"},
        {"verb": "tell", "id": "mine"},
    ):
        outcome = await shared_bus.send("bea", "llum", other)
        assert (outcome["outcome"], outcome["error"]["code"]) == ("refused", "id_reused")
    assert await shared_bus.send("bea", "llum", first_name("mine", "Bea")) == again(first)
    assert "Eve" not in await values_told(shared_bus, "bea", "llum")


async def test_a_refusal_stays_a_refusal_when_its_reason_is_gone(shared_llum, shared_bus):
    """A tell that was refused for a missing component is refused again, in the same words, once there is one."""
    shared_llum.run("admin", "person", "add", "cleo")
    first = await shared_bus.send("cleo", "llum", NOWHERE)
    assert (first["outcome"], first["error"]["code"]) == ("refused", "no_such_component")
    component = {"name": "shoe size"}
    make = {"verb": "make_component", "id": "make", "context": ["Personal"], "component": component}
    await shared_bus.accept("cleo", "llum", make)
    assert await shared_bus.send("cleo", "llum", NOWHERE) == again(first)
    assert await shared_bus.evidence("cleo", "llum", ["Personal", "shoe size"]) == []
    await shared_bus.accept("cleo", "llum", NOWHERE | {"id": "another"})


async def test_users_and_apps_with_the_same_id_do_not_disturb_each_other(shared_llum, shared_bus):
    """The id `same`, from two apps about two users each: four commands, four outcomes, each piece of evidence once."""
    for user in ("dora", "emil"):
        shared_llum.run("admin", "person", "add", user)
        register = {"verb": "register_app", "id": "register", "app": "kitchen", "role": "owner"}
        await shared_bus.accept(user, "llum", register)
    pairs = [(user, app) for user in ("dora", "emil") for app in ("llum", "kitchen")]
    outcomes = [await shared_bus.accept(*pair, first_name("same", " ".join(pair))) for pair in pairs]
    assert len({(user, outcome["seq"]) for (user, _), outcome in zip(pairs, outcomes, strict=True)}) == 4
    assert not any(outcome.get("repeated") for outcome in outcomes)
    for pair, first in zip(pairs, outcomes, strict=True):
        assert await shared_bus.send(*pair, first_name("same", " ".join(pair))) == again(first)
        assert (await values_told(shared_bus, *pair)).count(" ".join(pair)) == 1


async def test_many_copies_at_the_same_time_are_applied_once(shared_llum, shared_bus):
    """Fifty copies of one command under way at once: one first outcome, the rest repeats of it."""
    shared_llum.run("admin", "person", "add", "finn")
    outcomes = await asyncio.gather(*(shared_bus.send("finn", "llum", first_name("rush", "Finn")) for _ in range(50)))
    assert len({outcome["seq"] for outcome in outcomes}) == 1
    assert [outcome.get("repeated", False) for outcome in outcomes].count(False) == 1
    assert (await values_told(shared_bus, "finn", "llum")).count("Finn") == 1


async def test_an_idempotency_key_does_the_same_over_http(shared_llum, shared_bus):
    """Twice the same POST under one key: the same answer, one piece of evidence; a refusal in the same words."""
    shared_llum.run("admin", "person", "add", "gina")
    http = PlainHttp(shared_llum.http, shared_llum.run("admin", "token", "gina", "--app", "probe", "--owner"))
    told = tell_body(PATH[:-1], PATH[-1], "Gina")
    for _ in range(2):
        assert http.call("tell", told, Idempotency_Key="once") == (200, {"result": "ok", "val": None})
    assert await values_told(shared_bus, "gina", "probe") == ["Gina"]
    refused = [http.call("tell", tell_body(["Personal"], "hat size", "7"), Idempotency_Key="hat") for _ in range(2)]
    assert refused[0] == refused[1]
    assert refused[0][1]["error"]["code"] == "no_such_component"
    http.close()


async def test_another_call_under_a_used_idempotency_key_is_a_409(shared_llum, shared_bus):
    """It says so with its code. The same call in other JSON (spaces, order of members) is the same call."""
    shared_llum.run("admin", "person", "add", "hugo")
    http = PlainHttp(shared_llum.http, shared_llum.run("admin", "token", "hugo", "--app", "probe", "--owner"))
    told = tell_body(PATH[:-1], PATH[-1], "Hugo", unit="kg", place="here")
    turned = dict(reversed(told.items())) | {"evidence": dict(reversed(told["evidence"].items()))}
    for body in (json.dumps(told), json.dumps(turned, indent=4)):
        status, answer = http.call("tell", body.encode(), Idempotency_Key="once")
        assert status == 200, answer
    status, answer = http.call("tell", tell_body(PATH[:-1], PATH[-1], "Eve"), Idempotency_Key="once")
    assert (status, answer["error"]["code"]) == (409, "id_reused")
    assert await values_told(shared_bus, "hugo", "probe") == ["Hugo"]
    http.close()
