"""A stranger's resolver may do what it likes: it keeps nobody else from being answered."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from actors.plugins.plugin import Bounds, Plugin
from actors.plugins.process import PluginProcess
from actors.plugins.together import resolve_together
from actors.plugins.wire import PluginEntry
from model.elsewhere import ResolveElsewhere, Together
from model.resolvers.registry import Resolved, Resolver
from schemas.errors import Code, LlumError
from schemas.evidence import Evidence
from tests.waiting import DEADLINE_S, eventually, until

PLUGINS = """
import os, sys, time
from llum import Argument, Resolved, Resolver

def total(evidence, now, arguments):
    print("to nobody")
    numbers = [piece for piece in evidence if piece.value is not None]
    return Resolved(sum(piece.value for piece in numbers) + arguments.get("plus", 0), tuple(numbers))

def surroundings(evidence, now, arguments):
    return Resolved(sorted(name for name in os.environ if name.startswith("LLUM_")))

def value_says(evidence, now, arguments):
    what = evidence[-1].value
    if what == "loop":
        while True:
            pass
    if what == "sleep":
        time.sleep(1e6)
    if what == "memory":
        return Resolved(len(bytearray(2**30)))
    if what == "exit":
        raise SystemExit(0)
    if what == "interrupt":
        raise KeyboardInterrupt
    if what == "die":
        os._exit(0)
    if what == "raise":
        raise ValueError("no value")
    if what == "not a Resolved":
        return 5
    if what == "no JSON":
        return Resolved({1, 2})
    if what == "not a number":
        return Resolved(float("nan"))
    if what == "made up":
        return Resolved(1, ("not a piece",))
    if what == "too large":
        return Resolved("x" * 9_000_000)
    if what == "noise":
        os.write(int(sys.argv[1]), b"\\0\\0\\0\\3{x}")
        time.sleep(1e6)
    return Resolved(what)

resolver = Resolver("total", total, description="the sum", arguments={"plus": Argument(kind="number", default=0)})
env = Resolver("env", surroundings)
wild = Resolver("wild", value_says)
newest = Resolver("newest", total, newest_of="plain")

def fails():
    raise SystemExit("no licence")
"""

PATIENT = Bounds(call_s=170.0, ask_s=175.0, load_s=170.0)
"""For what is to come to its end, also on a busy machine."""

HURRIED = msgspec.structs.replace(PATIENT, call_s=0.3)
"""For what would never end."""


class Plugins:
    """Plug-ins that run, and end with the test."""

    def __init__(self, exits: AsyncExitStack) -> None:
        self._exits = exits

    async def load(self, attribute: str, bounds: Bounds = PATIENT) -> Plugin:
        plugin = Plugin(PluginEntry(attribute, f"llum_wild_plugins:{attribute}", "llum.resolvers"), bounds)
        self._exits.push_async_callback(plugin.close)
        loaded = await plugin.load()
        assert loaded.error is None
        return plugin


@pytest.fixture
async def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Plugins]:
    (tmp_path / "llum_wild_plugins.py").write_text(PLUGINS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("LLUM_NATS_URL", "nats://user:secret@127.0.0.1")
    async with AsyncExitStack() as exits:
        yield Plugins(exits)


def bodies(*values: Any, useby: float | None = None) -> list[bytes]:
    return [
        msgspec.json.encode(
            Evidence(
                seq=seq, value=value, source="probe", owner="alice", time=1.0, creation_time=float(seq), useby=useby
            )
        )
        for seq, value in enumerate(values, 1)
    ]


def wanted(plugin: Plugin, *values: Any, explains: bool = False, **arguments: Any) -> ResolveElsewhere:
    def not_here(*_: Any) -> Resolved:
        raise AssertionError("it must not run here")

    resolver = Resolver(plugin.name, not_here, elsewhere=plugin)
    return ResolveElsewhere(resolver, bodies(*values), 100.0, arguments, explains)


async def resolved(*jobs: ResolveElsewhere) -> list[Any]:
    """Have them resolved for one ask: values, and the messages of what failed."""
    return [
        one.value if isinstance(one, Resolved) else one.message for one in await resolve_together(Together(list(jobs)))
    ]


async def error_of(*jobs: ResolveElsewhere) -> LlumError:
    """Give the error of the last of them."""
    last = (await resolve_together(Together(list(jobs))))[-1]
    assert isinstance(last, LlumError)
    assert last.code is Code.RESOLVER_FAILED
    return last


async def test_a_plugin_resolves_in_its_own_process(plugins: Plugins) -> None:
    """With its arguments; what it prints goes nowhere, and what it used is named where that is wanted."""
    plugin = await plugins.load("resolver")
    assert await resolved(wanted(plugin, 1, 2), wanted(plugin, 3, plus=4), wanted(plugin)) == [3, 7, 0]
    assert "llum_wild_plugins" not in sys.modules
    for explains, used in [(True, [1, 3]), (False, [])]:
        (one,) = await resolve_together(Together([wanted(plugin, 5, None, 6, explains=explains)]))
        assert isinstance(one, Resolved)
        assert [piece.seq for piece in one.used] == used


async def test_what_it_used_must_be_evidence(plugins: Plugins) -> None:
    """Anything else is a failure, where it is asked for."""
    plugin = await plugins.load("wild")
    (failed,) = await resolved(wanted(plugin, "made up", explains=True))
    assert "AttributeError" in failed


async def test_expired_evidence_does_not_count(plugins: Plugins) -> None:
    """It is left out there."""
    plugin = await plugins.load("resolver")
    job = wanted(plugin)
    stale = ResolveElsewhere(job.resolver, bodies(7, useby=99.0) + bodies(1, useby=101.0), 100.0, {}, explains=False)
    assert await resolved(stale) == [1]


async def test_much_evidence_goes_over(plugins: Plugins) -> None:
    """As much as one ask may give to a plug-in, in one component."""
    plugin = await plugins.load("resolver")
    job = wanted(plugin)
    (body,) = bodies(1)
    whole = ResolveElsewhere(job.resolver, [body] * PATIENT.pieces, 100.0, {}, explains=False)
    assert await resolved(whole, wanted(plugin, 1)) == [
        PATIENT.pieces,
        f"the resolver resolver failed: it would get more than {PATIENT.pieces} pieces or {PATIENT.bytes} bytes of "
        "evidence in one ask",
    ]


async def test_it_is_not_told_llums_settings(plugins: Plugins) -> None:
    """An address may have a password in it."""
    assert await resolved(wanted(await plugins.load("env"))) == [[]]


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("exit", "SystemExit: 0"),
        ("interrupt", "KeyboardInterrupt"),
        ("raise", "ValueError: no value"),
        ("not a Resolved", "TypeError"),
        ("no JSON", "value"),
        ("not a number", "value"),
    ],
)
async def test_what_goes_wrong_fails_one_component(plugins: Plugins, does: str, said: str) -> None:
    """The process goes on, with the next component of the same ask."""
    plugin = await plugins.load("wild")
    pid = plugin.pid
    failed, value = await resolved(wanted(plugin, does), wanted(plugin, "fine"))
    assert said in failed
    assert value == "fine"
    assert plugin.pid == pid


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a limit of addresses that holds")
async def test_a_gigabyte_is_not_to_be_had(plugins: Plugins) -> None:
    """A quarter of one is; the process goes on."""
    plugin = await plugins.load("wild")
    failed, value = await resolved(wanted(plugin, "memory"), wanted(plugin, "fine"))
    assert "MemoryError" in failed
    assert value == "fine"


@pytest.mark.parametrize("does", ["loop", "sleep", "die", "too large", "noise"])
async def test_what_cannot_go_on_is_ended_and_started_again(plugins: Plugins, does: str) -> None:
    """What was resolved before is answered, the rest of the call fails; the next ask gets a new process."""
    plugin = await plugins.load("wild", HURRIED if does in ("loop", "sleep") else PATIENT)
    pid = plugin.pid
    before, failed, after = await resolved(wanted(plugin, 1), wanted(plugin, does), wanted(plugin, 2))
    assert before == 1 or "took more than" in before, "a busy machine may be too slow for the first, too"
    assert failed == after
    assert failed.startswith("the resolver wild failed: it")
    await until(lambda: plugin.pid not in (None, pid), "there is a new process")
    assert pid is not None
    assert not psutil.pid_exists(pid)


async def test_what_was_resolved_is_answered_although_more_cannot_be_sent(
    plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process has ended before it is asked for the last one, and before its first answer is read."""
    send = PluginProcess._send

    async def send_late(process: PluginProcess, jobs: list[ResolveElsewhere]) -> None:
        await send(process, jobs[:2])
        deadline = time.monotonic() + DEADLINE_S
        # Nothing else of this process goes on meanwhile: that is what is tried.
        while is_running(process.pid) and time.monotonic() < deadline:
            time.sleep(0.01)  # noqa: ASYNC251
        await send(process, jobs[2:])

    monkeypatch.setattr(PluginProcess, "_send", send_late)
    plugin = await plugins.load("wild")
    before, failed, after = await resolved(wanted(plugin, 1), wanted(plugin, "die"), wanted(plugin, 2))
    assert before == 1
    assert failed == after == "the resolver wild failed: its process ended"


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_one_plugin_does_not_hold_up_another(plugins: Plugins) -> None:
    """Nor what is asked of it by others."""
    stuck, other = await plugins.load("wild"), await plugins.load("resolver")
    asking = asyncio.create_task(resolved(wanted(stuck, "sleep")))
    await until(lambda: stuck.is_busy, "the first is stuck")
    assert await resolved(wanted(other, 1, 2)) == [3]
    asking.cancel()


async def test_an_ask_has_a_deadline_for_all_its_plugins(plugins: Plugins) -> None:
    """Also for what only waits for its turn."""
    plugin = await plugins.load("wild", msgspec.structs.replace(PATIENT, ask_s=1.0))
    late = "the resolver wild failed: there was no value within 1 s"
    first, second = await resolved(wanted(plugin, 1), wanted(plugin, "sleep"))
    assert first in (1, late), "a busy machine may be too slow for it"
    assert second == late
    assert plugin.is_busy
    assert await resolved(wanted(plugin, 1)) == [late]


async def test_too_many_that_wait_are_told_to_come_again(plugins: Plugins) -> None:
    """At once, and when."""
    bounds = msgspec.structs.replace(PATIENT, waiting=2)
    plugin = await plugins.load("wild", bounds)
    asking = [asyncio.create_task(resolved(wanted(plugin, "sleep")))]
    await until(lambda: plugin.is_busy, "one is being served")
    asking += [asyncio.create_task(resolved(wanted(plugin, 1))) for _ in range(2)]
    await until(lambda: plugin.waiting == 2, "two wait")
    error = await error_of(wanted(plugin, 1))
    assert "too many asks wait" in error.message
    assert error.error.retry_after_s == bounds.call_s
    for one in asking:
        one.cancel()


async def test_what_had_to_be_ended_often_is_off_for_a_while(plugins: Plugins) -> None:
    """Also for those who wait; it has no process then, and comes again by itself."""
    bounds = msgspec.structs.replace(PATIENT, off_s=1000.0, kills=2, kills_within_s=1e6)
    plugin = await plugins.load("wild", bounds)
    assert "its process ended" in (await error_of(wanted(plugin, "die"))).message
    asking = asyncio.create_task(error_of(wanted(plugin, "sleep")))
    await until(lambda: plugin.is_busy, "the second is being served")
    waiting = asyncio.create_task(error_of(wanted(plugin, 1)))
    await until(lambda: plugin.waiting == 1, "another one waits")
    assert plugin.pid is not None
    os.kill(plugin.pid, signal.SIGKILL)
    assert "its process ended" in (await asking).message
    for error in (await waiting, await error_of(wanted(plugin, 1))):
        assert "it is off" in error.message
        assert 0 < (error.error.retry_after_s or 0) <= 1000
    assert plugin.pid is None


async def test_a_plugin_that_is_off_comes_on_again(plugins: Plugins) -> None:
    """With a process that is started for the next ask."""
    bounds = msgspec.structs.replace(PATIENT, off_s=0.0, kills=1)
    plugin = await plugins.load("wild", bounds)
    assert "its process ended" in (await error_of(wanted(plugin, "die"))).message

    async def is_fine() -> bool:
        return await resolved(wanted(plugin, "fine")) == ["fine"]

    await eventually(is_fine)


@pytest.mark.parametrize("attribute", ["fails", "nothing"])
async def test_what_cannot_be_loaded_says_why(plugins: Plugins, attribute: str) -> None:
    """Also when it wants to end the program, or is not there."""
    plugin = Plugin(PluginEntry(attribute, f"llum_wild_plugins:{attribute}", "llum.resolvers"), PATIENT)
    loaded = await plugin.load()
    assert loaded.error is not None
    assert "no licence" in loaded.error or "nothing" in loaded.error
    assert plugin.pid is None


WORKER = """
import asyncio, json, sys
from actors.plugins.plugin import Plugin
from actors.plugins.together import resolve_together
from actors.plugins.wire import PluginEntry
from tests.actors.test_plugins import PATIENT, wanted, resolved

async def main():
    plugin = Plugin(PluginEntry("wild", "llum_wild_plugins:wild", "llum.resolvers"), PATIENT)
    await plugin.load()
    asking = asyncio.create_task(resolved(wanted(plugin, sys.argv[1])))
    while not plugin.is_busy:
        await asyncio.sleep(0.01)
    print(plugin.pid, flush=True)
    await asking

asyncio.run(main())
"""


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize("does", ["loop", "sleep"])
async def test_a_plugin_ends_with_its_worker(does: str) -> None:
    """However that ends, and whatever the plug-in is doing."""
    worker = await asyncio.create_subprocess_exec(sys.executable, "-c", WORKER, does, stdout=subprocess.PIPE)
    assert worker.stdout is not None
    pid = json.loads(await worker.stdout.readline())
    worker.kill()
    await worker.wait()
    await until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie", "it has ended")
