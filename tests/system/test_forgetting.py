"""Forgetting a person: afterwards no byte of them is in the data folder, and nobody else has lost anything."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.harness import Llum, until
from tests.system.plain_bus import PlainBus, tell

ANNA = "anna-4f1c"
"""A word that stands nowhere else, as the others here."""

MARK = "ZZMARK"
BEN = "ben-77d0"
REMEMBERED = "YYKEPT"

BETWEEN_TELLS_S = 0.02
"""Seconds between two tells of an app that goes on telling."""


@pytest.fixture
def forgetful(installation: Llum) -> Llum:
    """A running llum that keeps one model in memory, so that models are passivated all the time."""
    (installation.folder / "llum.toml").write_text("max_active_models = 1\n", "utf-8")
    installation.start()
    return installation


@pytest.fixture
async def bus(forgetful: Llum) -> AsyncIterator[PlainBus]:
    async with PlainBus.connect(forgetful.nats) as bus:
        yield bus


def found(folder: Path, *words: str) -> dict[str, list[str]]:
    """Name the files that hold a word, in their contents or in their names."""
    wanted = [word.encode() for word in words]
    names: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("*")):
        content = str(path.relative_to(folder)).encode() + (path.read_bytes() if path.is_file() else b"")
        if held := [word.decode() for word in wanted if word in content]:
            names[str(path.relative_to(folder))] = held
    return names


async def live(bus: PlainBus, user: str, mark: str, rounds: range) -> None:
    """Do everything that leaves a trace."""
    context = [f"{mark}-context"]
    evidence = {"comment": f"{mark}-comment", "flags": [f"{mark}-flag"], "extra": {f"{mark}-key": f"{mark}-extra"}}
    for number in rounds:
        told = tell(f"{mark}-id-{number}", context, f"{mark}-component", f"{mark}-value-{number}", **evidence)
        await bus.accept(user, "llum", told)
        refused = await bus.send(
            user, "llum", tell(f"{mark}-bad-{number}", context, f"{mark}-nothing", f"{mark}-value")
        )
        assert refused["outcome"] == "refused"
        await bus.nc.publish(f"llum.cmd.{user}.probe.tell", f'{{"id": "x", "{mark}-broken": '.encode())
        await bus.ask(user, "llum", {"verb": "ask", "context": context, "explain": True, "include_evidence": True})
        await bus.ask(user, f"app-{number}", {"verb": "ask", "context": [f"{mark}-refused"]})


async def begin(bus: PlainBus, llum: Llum, user: str, mark: str) -> None:
    """Make a model with a structure, apps, rules, tokens and passwords."""
    context, component = f"{mark}-context", f"{mark}-component"
    llum.run("admin", "person", "add", user, "--first-name", f"{mark}-firstname", "--email", f"{mark}@example.org")
    definition = {"name": component, "description": f"{mark}-description"}
    for message in (
        {"verb": "make_context", "id": "c", "context": [], "name": context, "description": f"{mark}-about"},
        {"verb": "make_component", "id": "p", "context": [context], "component": definition},
        {
            "verb": "make_view",
            "id": "v",
            "context": [context],
            "view": {"name": f"{mark}-view", "components": [component]},
        },
        {"verb": "register_app", "id": "a", "app": "probe", "description": f"{mark}-app"},
        {"verb": "set_permission", "id": "s", "app": "probe", "context": [context], "ask": True, "tell": True},
        {"verb": "correct", "id": "o", "context": [context], "component": component, "value": f"{mark}-correction"},
    ):
        await bus.accept(user, "llum", message)
    llum.run("admin", "app", "quota", user, "llum", "--fires-per-minute", "60")
    source = f"<default!./{context}/{component}>"
    for number, statement in enumerate((
        f"{source} ~ '.*' : NOTIFY 'http://127.0.0.1:9/{mark}-notice?' {source}",
        f"{source} ~ '.*-value-1' : TELL './Personal/firstname', explicit:'{mark}-derived'",
        f'["0 7 * * *"] {source} ~ \'.*\' : NOTIFY \'http://127.0.0.1:9/{mark}-cron\'',
        f'["* * * * * *"] \'{mark}-fires\' ~ \'and tells nothing\' : TELL \'./Personal/firstname\', explicit:1',
    )):  # fmt: skip
        rule = {"verb": "make_rule", "id": f"r{number}", "context": [context], "component": component}
        await bus.accept(user, "llum", {**rule, "statement": statement})
    (told,) = await bus.evidence(user, "llum", ["Personal", "email"])
    withdraw = {"verb": "withdraw", "id": "w", "context": ["Personal"], "component": "email", "seq": told["seq"]}
    await bus.accept(user, "llum", {**withdraw, "n": told.get("n", 0), "comment": f"{mark}-withdrawn"})
    for app in ("probe", "other"):
        llum.run("admin", "token", user, "--app", app, "--owner")
    llum.run("admin", "app", "add", user, "probe", "--password-stdin", text=f"{mark}-password")


def waiting_tells(llum: Llum, user: str, mark: str) -> None:
    """Leave what a sensor has not been able to send."""
    folder = llum.data_dir / "spool"
    folder.mkdir(exist_ok=True)
    (folder / f"{user}.activity.lock").touch()
    with sqlite3.connect(folder / f"{user}.activity.spool") as database:
        database.execute(
            "CREATE TABLE entry (number INTEGER PRIMARY KEY AUTOINCREMENT,"
            " user TEXT NOT NULL, app TEXT NOT NULL, verb TEXT NOT NULL, payload BLOB NOT NULL)"
        )
        database.execute("INSERT INTO entry (user, app, verb, payload) VALUES (?, 'a', 'tell', ?)", (user, mark))
    database.close()


async def everything(bus: PlainBus, user: str) -> Any:
    """Ask for all that a person is."""
    replies = []
    for path in (["Personal"], [f"{REMEMBERED}-context"]):
        query = {"verb": "ask", "context": path, "include_evidence": True, "show_contexts": True}
        reply = await bus.ask(user, "llum", query)
        assert reply["reply"] == "ask", reply
        reply.pop("seq")
        replies.append(reply)
    return replies


async def two_lives(llum: Llum, bus: PlainBus) -> None:
    """Two people side by side, with restarts of all kinds in between."""
    for user, mark in ((ANNA, MARK), (BEN, REMEMBERED)):
        await begin(bus, llum, user, mark)
        waiting_tells(llum, user, mark)
    for start, disturb in ((0, None), (3, "worker"), (6, "nats-server"), (9, "edge")):
        for user, mark in ((ANNA, MARK), (BEN, REMEMBERED)):
            await live(bus, user, mark, range(start, start + 3))
        if disturb:
            llum.kill(disturb)


async def test_nothing_of_a_forgotten_person_is_left_on_the_disk(forgetful: Llum, bus: PlainBus) -> None:
    """Values, comments, paths, refused commands, rules, notices, tokens, logs: not while llum runs, nor afterwards."""
    llum = forgetful
    await two_lives(llum, bus)
    assert len(found(llum.data_dir, MARK)) >= 4
    others = await everything(bus, BEN)

    receipt = json.loads(llum.run("admin", "person", "forget", ANNA, "--yes", "--json"))
    assert found(llum.data_dir, MARK, ANNA) == {}
    assert receipt["not_looked_at"] == []
    assert not any(receipt["left"].values())
    for kind in (
        "models",
        "evidence",
        "commands",
        "rejections",
        "schedules",
        "tokens",
        "passwords",
        "spooled",
        "asked",
    ):
        assert receipt["removed"][kind], kind
    assert receipt["removed"]["tokens"] == 2
    assert receipt["removed"]["evidence"] >= 15

    assert await everything(bus, BEN) == others
    second = llum.command("admin", "person", "forget", ANNA, "--yes", "--json")
    again = json.loads(second.stdout)
    assert (second.returncode, again["known"]) == (1, False)
    assert not any((again["removed"] | {"log_lines": 0}).values())
    assert not any(again["left"].values())
    assert found(llum.data_dir, MARK, ANNA) == {}

    llum.stop()
    assert found(llum.data_dir, MARK, ANNA) == {}
    assert found(llum.data_dir, REMEMBERED)
    llum.start()
    async with PlainBus.connect(llum.nats) as back:
        assert await everything(back, BEN) == others
    llum.run("admin", "token", BEN, "--app", "probe", "--owner")
    assert found(llum.data_dir, MARK, ANNA) == {}


async def test_the_name_of_a_forgotten_person_can_be_used_again(forgetful: Llum, bus: PlainBus) -> None:
    """The new model starts empty, also when all shards are built anew from the log."""
    llum = forgetful
    await begin(bus, llum, ANNA, MARK)
    await live(bus, ANNA, MARK, range(3))
    llum.run("admin", "person", "forget", ANNA, "--yes")
    assert ANNA not in llum.run("admin", "person", "list")
    llum.stop()
    for path in (llum.data_dir / "shards").iterdir():
        path.unlink()
    llum.start()
    assert ANNA not in llum.run("admin", "person", "list")
    llum.run("admin", "person", "add", ANNA, "--first-name", "Fresh")
    assert llum.run("ask", ANNA, "Personal/firstname") == '"Fresh"'
    assert MARK not in llum.run("ask", ANNA, "Personal", "--evidence", "--json")
    assert llum.command("ask", ANNA, f"{MARK}-context").returncode == 1


@pytest.mark.parametrize("victim", ["nats-server", "worker", "forget"])
async def test_an_interrupted_forgetting_is_finished_by_doing_it_again(
    forgetful: Llum, bus: PlainBus, victim: str
) -> None:
    """Whatever was killed in the middle of it."""
    llum = forgetful
    await begin(bus, llum, ANNA, MARK)
    await live(bus, ANNA, MARK, range(3))
    for number in range(300):
        await bus.store(ANNA, "llum", tell(f"more-{number}", ["Personal"], "lastname", f"{MARK}-{number}"))
    running = llum.start_command("admin", "person", "forget", ANNA, "--yes")
    await _erasing_has_begun(bus)
    if victim == "forget":
        running.kill()
    else:
        llum.kill(victim)
    running.wait(60)
    until(lambda: "left: nothing" in llum.command("admin", "person", "forget", ANNA, "--yes").stdout, "all is erased")
    assert found(llum.data_dir, MARK, ANNA) == {}


async def _erasing_has_begun(bus: PlainBus) -> None:
    while sum((await bus.subjects_of_log(f"llum.log.*.{ANNA}.>")).values()) > 280:
        pass


async def test_an_app_that_goes_on_telling_is_not_chased_for_ever(forgetful: Llum, bus: PlainBus) -> None:
    """The model is gone, the receipt names the app; once it has stopped, doing it again leaves nothing."""
    llum = forgetful
    llum.run("admin", "person", "add", ANNA)
    llum.run("admin", "app", "add", ANNA, "probe")
    stored, goes_on = 0, True

    async def go_on_telling() -> None:
        nonlocal stored
        while goes_on:
            stored += 1
            await bus.store(ANNA, "probe", tell(f"on-{stored}", ["Personal"], "firstname", f"{MARK}-{stored}"))
            # Without a pause there would be ten thousand, and nats-server writes up to 8 MB to erase one of them.
            await asyncio.sleep(BETWEEN_TELLS_S)

    tellers = [asyncio.create_task(go_on_telling()) for _ in range(2)]
    done = await asyncio.to_thread(llum.command, "admin", "person", "forget", ANNA, "--yes", "--json")
    assert not any(teller.done() for teller in tellers)
    # Not cancelled: `asyncio.wait_for`, which nats-py uses, may lose a cancellation in Python 3.11.
    goes_on = False
    await asyncio.gather(*tellers, return_exceptions=True)
    receipt = json.loads(done.stdout)
    assert receipt["removed"]["models"] == 1
    assert receipt["left"]["models"] == 0
    if done.returncode:
        assert receipt["told_by"] == ["probe"]
        assert receipt["left"]["commands"] > 0
    until(lambda: "left: nothing" in llum.command("admin", "person", "forget", ANNA, "--yes").stdout, "all is erased")
    assert found(llum.data_dir, MARK, ANNA) == {}


async def test_a_name_that_nobody_has(forgetful: Llum, bus: PlainBus) -> None:
    """It may be mistyped: the command says so and fails, and erases what somebody has told under that name."""
    await bus.send(ANNA, "probe", tell("lost", ["Personal"], "firstname", MARK))
    done = forgetful.command("admin", "person", "forget", ANNA, "--yes")
    assert done.returncode == 1
    assert f"there was no model of {ANNA}" in done.stdout
    assert "1 commands" in done.stdout
    assert found(forgetful.data_dir, MARK, ANNA) == {}


async def test_a_sensor_that_runs_keeps_its_person_from_being_forgotten(forgetful: Llum) -> None:
    """It would go on telling: one line says to stop it, and nothing has been erased."""
    import fcntl

    forgetful.run("admin", "person", "add", ANNA)
    waiting_tells(forgetful, ANNA, MARK)
    with (forgetful.data_dir / "spool" / f"{ANNA}.activity.lock").open("r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = forgetful.command("admin", "person", "forget", ANNA, "--yes")
    assert done.returncode == 1
    assert "stop it" in done.stderr
    assert ANNA in forgetful.run("admin", "person", "list")


def test_forgetting_asks_first(forgetful: Llum) -> None:
    """Without --yes and without an answer nothing happens."""
    forgetful.run("admin", "person", "add", ANNA)
    assert forgetful.command("admin", "person", "forget", ANNA).returncode != 0
    assert ANNA in forgetful.run("admin", "person", "list")
