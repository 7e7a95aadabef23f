"""An external nats-server with the configuration that llum prints, and llum's processes started by hand beside it."""

import asyncio
import json
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bus.connection import Bus
from bus.requests import Requests
from schemas.commands import Tell
from schemas.errors import Code, Transient
from schemas.evidence import NewEvidence
from schemas.replies import Accepted
from tests.end_to_end.external import External, kill
from tests.end_to_end.test_supervisor import assert_one_clear_line
from tests.waiting import DEADLINE_S, eventually


@pytest.fixture
async def external(tmp_path: Path) -> AsyncIterator[External]:
    made = External(tmp_path / "llum")
    yield made
    made.clean_up()


def tell(id: str) -> Tell:
    return Tell(id=id, context=["Personal"], component="firstname", evidence=NewEvidence(value="Al"))


async def connected(external: External, token: str, within_s: float = DEADLINE_S) -> Bus:
    return await Bus.connect(external.url, name="lamp", token=token, within_s=within_s)


def token_of(external: External) -> str:
    external.cli("admin", "app", "add", "alice", "lamp")
    external.cli("admin", "app", "permit", "alice", "lamp", "Personal", "--ask", "--tell")
    made = external.cli("admin", "token", "make", "alice", "--app", "lamp", "--json")
    return str(json.loads(made.stdout)["token"])


async def test_worker_edge_and_callouts_run_on_what_llum_prints_and_a_killed_callout_comes_back(
    external: External,
) -> None:
    """While none runs, who is connected goes on, new ones get an error; one that keeps trying is let in at last."""
    external.start_nats(external.configured())
    assert stat.S_IMODE((external.data_dir / "credentials.json").stat().st_mode) == 0o600
    external.cli("admin", "install")
    external.start_process("worker")
    external.start_process("edge", "--edge-callout", "false")
    first, second = external.start_process("callout"), external.start_process("callout")
    external.cli("admin", "person", "add", "alice")
    token = token_of(external)
    bus = await connected(external, token)
    requests = Requests(bus)
    await requests.start()
    lost: list[None] = []
    bus.on_disconnect.append(lambda: lost.append(None))
    assert isinstance(await requests.send("alice", "lamp", tell("a"), DEADLINE_S), Accepted)

    kill(first)
    other = await connected(external, token)  # the second one answers
    await other.close()

    kill(second)
    assert isinstance(await requests.send("alice", "lamp", tell("b"), DEADLINE_S), Accepted)
    with pytest.raises(Transient) as caught:
        await connected(external, token, within_s=5.0)
    assert caught.value.code in {Code.NOT_AUTHENTICATED, Code.UNAVAILABLE}
    trying = asyncio.create_task(connected(external, token))
    external.start_process("callout")
    late = await trying
    assert not lost

    # A callout that has let nobody in ends connections that others have let in.
    external.cli("admin", "app", "remove", "alice", "lamp")
    await eventually(lambda: _gone(bus, late), "both connections have ended")
    for each in (requests, bus, late):
        await each.close()


async def _gone(*buses: Bus) -> bool:
    return not any(bus.connected for bus in buses)


@pytest.mark.parametrize("wrong", ["no accounts", "other users", "other mappings", "no imports", "no callout"])
def test_a_nats_server_that_is_configured_otherwise_is_noticed(external: External, wrong: str) -> None:
    """One line says what is wrong and what to do. Nothing is made there."""
    text = external.configured()
    accounts = text.index('"system_account"')
    told = {
        "no accounts": ("no accounts for llum", text[:accounts]),
        "other users": ("does not know llum's own users", _with_other_passwords(text)),
        "other mappings": ("has llum's mappings to 8 partitions", text.replace("partition(4,1)", "partition(8,1)")),
        "no imports": ("does not reach llum", _without(text, "accounts", "APPS", "imports")),
        "no callout": ("does not ask llum", _without(text, "authorization", "auth_callout")),
    }
    message, configuration = told[wrong]
    external.start_nats(configuration)
    for command in [["admin", "install"], *([["worker"], ["edge"], ["callout"]] if wrong == "no accounts" else [])]:
        ended = external.cli(*command, check=False)
        assert_one_clear_line(ended, message, "llum nats-config")


def _with_other_passwords(text: str) -> str:
    return text.replace('"password": "', '"password": "x')


def _without(text: str, section: str, *names: str) -> str:
    """Take a member out of a section, which is a line `"name": {…}` of JSON over several lines."""
    start = text.index(f'"{section}": ') + len(f'"{section}": ')
    content, end = json.JSONDecoder().raw_decode(text, start)
    inner = content
    for name in names[:-1]:
        inner = inner[name]
    del inner[names[-1]]
    return text[:start] + json.dumps(content, indent=1) + text[end:]


def test_the_credentials_stay_the_same_and_a_missing_file_is_named(external: External, tmp_path: Path) -> None:
    """The configuration may be printed again; who looks for credentials elsewhere is told where they come from."""
    assert external.configured() == external.configured()
    ended = external.cli("callout", "--credentials", str(tmp_path / "none.json"), check=False)
    assert_one_clear_line(ended, "none.json", "llum nats-config")
