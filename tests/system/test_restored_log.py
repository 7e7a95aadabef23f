"""A log that was restored from an older copy: told, not served, and gone on with when the operator says so."""

import asyncio
import json
import re
import shutil
import urllib.error
import urllib.request

from tests.system.harness import Llum, until
from tests.system.plain_bus import PlainBus, tell

PATH = ["Personal", "firstname"]


def first_name(value: str) -> dict[str, object]:
    return tell(f"call-me-{value}", PATH[:-1], PATH[-1], value)


def ready(llum: Llum) -> tuple[int, str]:
    """Give the status of /ready, and its body."""
    try:
        with urllib.request.urlopen(f"{llum.http}/ready") as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


async def test_it_is_told_everywhere_and_accepted_by_one_command(installation: Llum) -> None:
    """`llum up` starts; `/ready` and `llum status` say which partition and what to type; others are served."""
    llum = installation
    await asyncio.to_thread(llum.start)
    for user in ("alice", "bob"):
        llum.run("admin", "person", "add", user)
    async with PlainBus.connect(llum.nats) as bus:
        for user in ("alice", "bob"):
            await bus.accept(user, "llum", first_name("first"))
        llum.stop()
        shutil.copytree(llum.data_dir / "nats", llum.folder / "copy")
    llum.start()
    async with PlainBus.connect(llum.nats) as bus:
        await bus.accept("alice", "llum", first_name("second"))
    llum.stop()
    shutil.rmtree(llum.data_dir / "nats")
    shutil.copytree(llum.folder / "copy", llum.data_dir / "nats")
    llum.start()
    status, body = ready(llum)
    assert status == 503, body
    standing = json.loads(llum.run("status", "--json"))
    (found,) = {re.search(r"llum admin log accept (\d+)", text).group(1) for text in [body, *standing["reasons"]]}
    assert not standing["ready"]
    async with PlainBus.connect(llum.nats) as bus:
        await bus.accept("bob", "llum", first_name("other"))
        said = llum.run("admin", "log", "accept", found)
        assert "lost: 1 command" in said
        assert "alice by llum, id call-me-second" in said
        values = [piece["value"] for piece in await bus.evidence("alice", "llum", PATH)]
        assert values[-1] == "first"
        await bus.accept("alice", "llum", first_name("third"))
    until(lambda: ready(llum)[0] == 200, "llum is ready")
