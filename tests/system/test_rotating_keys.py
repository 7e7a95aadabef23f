"""Keys are replaced while people and apps work. Nobody is signed out, and a rotation may break off anywhere."""

import json
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bus.connection import Bus
from llum.client import Client
from schemas.errors import Code, Transient
from tests.system.harness import Llum, until
from tests.waiting import eventually

OWN = ("passwords", "callout")


def credentials(llum: Llum) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((llum.data_dir / "credentials.json").read_bytes())
    return found


def rotate(llum: Llum, *which: str, **environment: str) -> int:
    return llum.command("admin", "keys", "rotate", *which, "--yes", **environment).returncode


def states(llum: Llum) -> dict[str, str]:
    return {one["key"]: one["state"] for one in json.loads(llum.run("admin", "keys", "list", "--json"))["keys"]}


@pytest.fixture
async def client(llum: Llum) -> AsyncIterator[Client]:
    """What alice's command line is: an app with a token."""
    llum.run("admin", "person", "add", "alice")
    token = llum.run("admin", "token", "alice", "--app", "kitchen", "--owner")
    async with Client.connect(llum.nats.replace(llum.nats.partition("//")[2].partition("@")[0] + "@", ""),
                              app="kitchen", token=token) as connected:  # fmt: skip
        yield connected


async def tells(client: Client, value: str) -> bool:
    """Tell and ask; False while the bus is away."""
    try:
        await client.tell("alice", "Personal/firstname", value)
        return (await client.ask("alice", "Personal/firstname")).value == value
    except Transient:
        return False


async def test_all_keys_are_replaced_under_way(llum: Llum, client: Client) -> None:
    """The same connection goes on, and so does the token. What was before opens nothing any more."""
    assert await tells(client, "Al")
    before, address = credentials(llum), llum.nats
    assert rotate(llum) == 0
    after = credentials(llum)
    assert not set(before["passwords"].values()) & set(after["passwords"].values())
    assert before["issuer"] != after["issuer"]
    assert "before" not in after
    assert (llum.data_dir / "credentials.json").stat().st_mode & 0o777 == 0o600
    assert await eventually(lambda: tells(client, "Alice"), "the connection is back")
    with pytest.raises(Transient) as refused:
        await Bus.connect(address, name="old", within_s=5.0)
    assert refused.value.code is Code.NOT_AUTHENTICATED
    assert states(llum)["passwords"] == "in use"
    assert "1 older is accepted until older tokens expire" in states(llum)["inboxes"]
    assert llum.run("ask", "alice", "Personal/firstname") == '"Alice"'


@pytest.mark.parametrize(
    "step",
    [
        "credentials_written",
        pytest.param("server_ended", marks=pytest.mark.long),
        pytest.param("server_changed", marks=pytest.mark.long),
    ],
)
async def test_a_rotation_that_breaks_off_leaves_all_at_work(llum: Llum, client: Client, step: str) -> None:
    """Those who are connected, new commands, and a restart; the next rotation goes on from there."""
    assert rotate(llum, *OWN, LLUM_FAILPOINT=step) == -signal.SIGKILL
    assert await eventually(lambda: tells(client, "Al"), "who was connected goes on")
    assert until(
        lambda: llum.command("ask", "alice", "Personal/firstname").stdout.strip() == '"Al"', "others are let in"
    )
    assert "rotate" in states(llum)["passwords"]
    half = credentials(llum)
    assert rotate(llum, *OWN) == 0
    after = credentials(llum)
    assert (after["passwords"], "before" in after) == (half["passwords"], False)
    assert await eventually(lambda: tells(client, "Alice"), "the connection is back")


def test_keys_are_replaced_while_no_llum_runs(installation: Llum) -> None:
    """The next start goes by the new ones."""
    installation.start()
    installation.run("admin", "person", "add", "alice")
    installation.stop()
    before = credentials(installation)
    assert rotate(installation, *OWN) == 0
    assert credentials(installation)["passwords"] != before["passwords"]
    installation.start()
    assert "alice" in installation.run("admin", "person", "list")
