"""Who asked, as people see it: by every face, on the command line, in an archive."""

import json
from pathlib import Path
from typing import Any

from tests.system.harness import Llum, until
from tests.system.plain_bus import PlainBus
from tests.system.plain_http import PlainHttp

STEPS = {"context": ["Sport"], "view": ["steps"]}


async def rows(llum: Llum, user: str, *more: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(llum.run("asked", user, *more, "--json"))["rows"]
    return listed


def code(answered: tuple[int, Any]) -> str | None:
    """Give the code of an answer over HTTP; None: it is no error."""
    _, answer = answered
    return answer["error"]["code"] if "error" in answer else None


async def begin(llum: Llum, bus: PlainBus, user: str) -> PlainHttp:
    """Make a person with a component, and an app that may ask it and nothing else."""
    llum.run("admin", "person", "add", user)
    made = {"verb": "make_context", "id": "c", "context": [], "name": "Sport"}
    await bus.accept(user, "llum", made)
    component = {"name": "steps", "value_type": "number"}
    await bus.accept(user, "llum", {"verb": "make_component", "id": "p", "context": ["Sport"], "component": component})
    llum.run("tell", user, "Sport/steps", "4200")
    llum.run("admin", "app", "add", user, "Fitness Coach")
    llum.run("admin", "app", "permit", user, "Fitness Coach", "Sport", "--ask")
    return PlainHttp(llum.http, llum.run("admin", "token", user, "--app", "Fitness Coach").splitlines()[-1])


async def test_an_ask_by_each_face_is_in_the_record(shared_llum: Llum, shared_bus: PlainBus) -> None:
    """Over HTTP, on the bus and by the command line; under which right, or why it was refused."""
    llum, bus = shared_llum, shared_bus
    http = await begin(llum, bus, "alice")
    assert code(http.call("ask", STEPS)) is None
    assert code(http.call("ask", {"context": ["Personal"]})) == "permission_denied"
    await bus.ask("alice", "robot", {"verb": "ask", **STEPS})
    llum.run("ask", "alice", "Sport/steps")
    http.close()

    found = {(row["app"], row.get("code"), row.get("grant")) for row in await rows(llum, "alice", "Sport/steps")}
    assert found >= {("x--_46itness_20_43oach", None, "/Sport"), ("robot", "permission_denied", None)}
    assert ("llum", None, "owner") in found
    (refused,) = [row for row in await rows(llum, "alice", "--app", "Fitness Coach") if row.get("code")]
    assert (refused["path"], refused["code"]) == (["Personal"], "permission_denied")
    shown = llum.run("asked", "alice", "Sport/steps")
    assert "Fitness Coach" in shown
    assert "asked Sport/steps (by /Sport)" in shown
    assert "told Sport/steps" in shown


async def test_the_owner_sees_it_over_http_and_nobody_else_does(shared_llum: Llum, shared_bus: PlainBus) -> None:
    """An app that may ask does not learn what other apps do."""
    http = await begin(shared_llum, shared_bus, "bob")
    http.call("ask", STEPS)
    assert code(http.call("asked", {})) == "permission_denied"
    http.close()
    token = shared_llum.run("admin", "token", "bob", "--app", "own", "--owner").splitlines()[-1]
    owner = PlainHttp(shared_llum.http, token)
    _, answer = owner.call("asked", {"context": ["Sport"], "componentid": "steps", "app": "Fitness Coach"})
    owner.close()
    (row,) = answer["val"]["rows"]
    assert (row["app"], row["verb"], row["grant"]) == ("Fitness Coach", "ask", "/Sport")


async def test_an_archive_says_who_asked_and_an_import_leaves_it(
    shared_llum: Llum, shared_bus: PlainBus, tmp_path: Path
) -> None:
    """It is about asks that were answered elsewhere: nobody has asked the new model."""
    llum, file = shared_llum, tmp_path / "carol.jsonl"
    http = await begin(llum, shared_bus, "carol")
    http.call("ask", STEPS)
    http.close()
    llum.run("admin", "person", "export", "carol", str(file))
    history = json.loads(file.read_text("utf-8").splitlines()[-1])
    assert history["kind"] == "asked"
    coach = [row for row in history["rows"] if row["app"] == "x--_46itness_20_43oach"]
    assert [(row["verb"], row["path"]) for row in coach] == [("ask", ["Sport", "steps"])]
    llum.run("admin", "person", "import", "carol2", str(file))
    assert [row for row in await rows(llum, "carol2") if row["app"] != "llum"] == []


async def test_stopping_llum_loses_no_ask(installation: Llum) -> None:
    """What was counted in memory is there after the next start."""
    llum = installation
    llum.start()
    async with PlainBus.connect(llum.nats) as bus:
        http = await begin(llum, bus, "dora")
    http.call("ask", STEPS)
    http.close()
    llum.stop()
    llum.start()
    (row,) = [row for row in await rows(llum, "dora", "--app", "Fitness Coach") if row["verb"] == "ask"]
    assert row["path"] == ["Sport", "steps"]
    assert until(lambda: llum.child("worker"), "the worker runs")
