"""A model is a fold over the log: without the shard files, the same log gives the same answers."""

import asyncio
import json
import shutil
from typing import Any

from tests.system.harness import Llum, until
from tests.system.plain_bus import PlainBus, tell

FAR_FUTURE = 4_000_000_000.0

USERS = ("alice", "bob")

ASKED_BY_COMMAND = [
    ["alice", "Personal/firstname", "--filter", "all", "--evidence"],
    ["alice", "Personal"],
    ["alice", "Garden", "--filter", "recent_count=2", "--evidence"],
    ["alice", "Garden/height", "--app", "probe", "--resolver", "default"],
    ["alice", "Garden/trees~1bushes/mood"],
    ["bob", "Personal/fullname"],
]

ASKED_ON_BUS: list[dict[str, Any]] = [
    {"context": []},
    {"context": ["Garden"], "explain": True, "include_evidence": True, "show_contexts": True},
    {"context": ["Garden"], "view": "both", "evidence_filter": {"name": "goal"}, "include_evidence": True},
    {"context": ["Garden"], "view": ["height", "nothing", ["Personal", "firstname"]], "explain": True},
    {"context": ["Personal"], "explain": True},
]


async def make_history(bus: PlainBus) -> int:
    """Do a bit of everything to alice's model; give a sequence in the middle of it."""

    async def do(verb: str, number: int, **members: Any) -> dict[str, Any]:
        return await bus.send("alice", "llum", {"verb": verb, "id": f"{verb}-{number}", **members})

    await do("make_context", 1, context=[], name="Garden", description="What grows.", resolver="recent")
    await do("make_context", 2, context=["Garden"], name="trees/bushes")
    height = {"name": "height", "value_type": "number", "evidence": [{"value": 1}, {"value": 9, "flags": ["goal"]}]}
    await do("make_component", 1, context=["Garden"], component=height)
    mood = {"name": "mood", "value_type": "enum", "value_list": ["fine", "dry"], "goals": [["Garden", "height"]]}
    await do("make_component", 2, context=["Garden", "trees/bushes"], component=mood)
    await do(
        "make_view", 1, context=["Garden"], view={"name": "both", "components": ["height", ["Personal", "lastname"]]}
    )
    await do("register_app", 1, app="probe", description="looks on")
    await do("set_permission", 1, app="probe", context=["Garden"], ask=True, tell=True, resolvers=["default"])
    middle = 0
    for number in range(20):
        flags = ["goal"] if number % 5 == 0 else []
        useby = 1.0 if number % 7 == 0 else FAR_FUTURE
        app = "probe" if number % 2 else "llum"
        told = tell(f"height-{number}", ["Garden"], "height", number / 4, flags=flags, useby=useby, comment="so it is")
        outcome = await bus.accept("alice", app, told)
        middle = outcome["seq"] if number == 10 else middle
    await bus.accept("alice", "llum", tell("mood", ["Garden", "trees/bushes"], "mood", "dry", extra={"sun": [1, None]}))
    for refused in (tell("odd-1", ["Garden"], "height", "tall"), tell("odd-2", ["Cellar"], "height", 1)):
        assert (await bus.send("alice", "llum", refused))["outcome"] == "refused"
    await do("set_permission", 2, app="probe", context=["Garden"], tell=False)
    return middle


def asked_by_command(llum: Llum) -> list[Any]:
    return [json.loads(llum.run("ask", *arguments, "--json")) for arguments in ASKED_BY_COMMAND]


async def asked_on_bus(llum: Llum, middle: int) -> list[Any]:
    async with PlainBus.connect(llum.nats) as bus:
        queries = [*ASKED_ON_BUS, *(query | {"as_of_seq": middle} for query in ASKED_ON_BUS[1:])]
        replies = [await bus.ask("alice", "llum", {"verb": "ask", **query}) for query in queries]
        replies += [await bus.ask("alice", "probe", {"verb": "ask", "context": ["Garden"], "explain": True})]
        replies += [await bus.ask("alice", "probe", {"verb": "ask", "context": ["Personal"]})]
        replies += [await bus.ask("alice", app, {"verb": "access"}) for app in ("llum", "probe", "stranger")]
    return [without_the_moment(reply) for reply in replies]


def without_the_moment(reply: dict[str, Any]) -> dict[str, Any]:
    """Leave out when the answer was given."""
    for answer in reply.get("components", ()):
        answer.get("explanation", {}).pop("evaluated_at", None)
    return reply


async def all_that_can_be_asked(llum: Llum, middle: int) -> tuple[list[Any], list[Any], list[Any]]:
    by_command = await asyncio.to_thread(asked_by_command, llum)
    rejected = await asyncio.to_thread(until, lambda: rejected_commands(llum), "both rejections have left")
    return by_command, await asked_on_bus(llum, middle), rejected


def rejected_commands(llum: Llum) -> list[Any]:
    """List them once all have left: they leave after their commit."""
    rejected: list[Any] = json.loads(llum.run("admin", "rejected", "alice", "--json"))["rejected"]
    return rejected if len(rejected) >= 2 else []


def restart(llum: Llum) -> None:
    llum.stop()
    llum.start()


def rebuild(llum: Llum) -> None:
    llum.stop()
    shutil.rmtree(llum.data_dir / "shards")
    llum.start()


def rebuild_after_a_crash(llum: Llum) -> None:
    llum.kill_everything()
    shutil.rmtree(llum.data_dir / "shards")
    llum.start()


def lose_one_shard(llum: Llum) -> None:
    """One partition starts from nothing, the others from what they have."""
    llum.kill_everything()
    for file in (llum.data_dir / "shards").glob(f"{llum.alices_partition}.db*"):  # type: ignore[attr-defined]
        file.unlink()
    llum.start()


async def test_every_answer_is_the_same_when_the_shards_are_rebuilt_from_the_log(llum):
    """Values, evidence, explanations, views, permissions, the past; and the rejected commands, none twice."""
    for user in USERS:
        await asyncio.to_thread(llum.run, "admin", "person", "add", user, "--first-name", user, "--last-name", "Smith")
    async with PlainBus.connect(llum.nats) as bus:
        middle = await make_history(bus)
        (subject,) = await bus.subjects_of_log("llum.log.*.alice._admin.make_model")
    llum.alices_partition = subject.split(".")[2]
    before = await all_that_can_be_asked(llum, middle)
    assert before[0][0]["value"] == "alice"
    assert len(before[2]) == 2
    for interrupt in (restart, rebuild, rebuild_after_a_crash, lose_one_shard):
        await asyncio.to_thread(interrupt, llum)
        after = await all_that_can_be_asked(llum, middle)
        for which, then, now in zip(("by command", "on the bus", "rejected"), before, after, strict=True):
            assert now == then, f"{which}, after {interrupt.__name__}"
