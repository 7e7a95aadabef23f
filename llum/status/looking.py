"""Finding out how llum stands: from its files, from the processes, and from what answers."""

import asyncio
import contextlib
import http.client
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from bus import log_cuts
from bus.connection import Bus
from bus.installation import find as find_installation
from bus.jetstream import JetStream
from bus.pings import ping
from bus.subjects import all_log_subjects
from bus.users import list_users
from bus.workers import WorkerWord, from_bits, read_words
from identity.preferences.keys import is_safe
from llum.bus_address import connected_as
from llum.failures import Fault
from llum.people.upgrading import counted
from llum.running import Running, find
from llum.settings import Settings, hide_password
from llum.status import folder
from llum.status.standing import Log, RunningProcess, Standing, WorkerStanding, with_rates
from schemas.errors import LlumError, SetupError, Transient
from schemas.replies import PingReply
from schemas.several import several

HTTP_WITHIN_S: Final = 5.0
"""Seconds for the edge to say whether it is ready: it waits one second for partitions itself."""

MAX_REASONS: Final = 3
"""Reasons that are shown of partitions that apply nothing."""

PING_WITHIN_S: Final = 1.0
"""Seconds for a worker to say that it serves a partition."""

_LOG_HINT: Final = "see the newest lines in"


async def look(settings: Settings) -> Standing:
    """Find out. Raises a `Fault` when there is neither a nats-server nor a data folder that can be read."""
    data_dir = settings.data_dir
    is_elsewhere = settings.nats_url is not None and not data_dir.exists()
    if not is_elsewhere:
        folder.check_folder(data_dir)
    running = _running(data_dir)
    standing = Standing(
        running=running is not None,
        ready=False,
        http=running.http if running else None,
        processes=_processes(running.pid) if running else [],
        data_dir=None if is_elsewhere else str(data_dir),
        log=folder.look_at_log(data_dir),
        shards=folder.look_at_shards(data_dir),
        free_bytes=None if is_elsewhere else folder.free_bytes(data_dir),
    )
    nats = settings.nats_url or (running.nats if running else None)
    if nats is None:
        standing = _but(standing, "nothing runs on this folder: start it with `llum up`")
    else:
        standing = await _with_bus(msgspec.structs.replace(standing, nats=hide_password(nats)), nats, settings)
    if standing.http is not None and not standing.reasons:
        standing = await _with_edge(standing)
    return with_rates(standing, time.time())


def _running(data_dir: Path) -> Running | None:
    with contextlib.suppress(Fault):
        return find(data_dir)
    return None


def _but(standing: Standing, reason: str) -> Standing:
    return msgspec.structs.replace(standing, ready=False, reasons=[*standing.reasons, reason])


def _processes(pid: int) -> list[RunningProcess]:
    import psutil

    found: list[RunningProcess] = []
    with contextlib.suppress(psutil.Error):
        supervisor = psutil.Process(pid)
        for process in (supervisor, *supervisor.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                found.append(RunningProcess(_name(process), process.pid, process.memory_info().rss))
    return found


def _name(process: Any) -> str:
    """Name a process by the part of llum that it was started for."""
    words = [Path(word).name for word in process.cmdline()]
    for word in words:
        if word in ("worker", "edge", "nats-server", "up"):
            return "supervisor" if word == "up" else word
    return str(process.name())


async def _with_bus(standing: Standing, nats: str, settings: Settings) -> Standing:
    """Ask nats-server about the log and the people, and the workers whether they serve all partitions."""
    try:
        bus = await connected_as(settings, "operator", "llum-status", nats)
    except LlumError as error:
        hint = (
            error.error.hint
            if settings.nats_url or isinstance(error, SetupError)
            else f"{_LOG_HINT} {settings.data_dir / 'log'}"
        )
        return _but(standing, f"{error.error.message}: {hint}")
    try:
        standing = msgspec.structs.replace(standing, log=await _log(bus, standing.log), ready=True)
        standing = msgspec.structs.replace(standing, workers=[_worker(word) for word in await read_words(bus)])
        installation = await find_installation(bus)
        # Whoever looks from elsewhere has not set the number.
        partitions = range(settings.partitions if installation is None else installation.partitions)
        replies = await asyncio.gather(*(ping(bus, number, PING_WITHIN_S) for number in partitions))
        levels = counted(reply.level for reply in replies if reply is not None)
        standing = msgspec.structs.replace(standing, levels=levels)
        for reason in _why_unserved(replies):
            standing = _but(standing, reason)
        if not standing.reasons:
            standing = await _with_people(bus, standing)
        lost = [reply.lost for reply in replies if reply is not None and reply.lost is not None]
        differs = [reply.differs for reply in replies if reply is not None and reply.differs is not None]
        return msgspec.structs.replace(standing, lost=several(lost, MAX_REASONS), differs=several(differs, MAX_REASONS))
    except Transient as error:
        return _but(standing, error.error.message)
    finally:
        await bus.close()


async def _with_people(bus: Bus, standing: Standing) -> Standing:
    """Count people. Where that cannot be known now, something else says why."""
    try:
        users = await list_users(bus, PING_WITHIN_S)
    except Transient:
        return standing
    safes = sum(map(is_safe, users))
    return msgspec.structs.replace(standing, people=len(users) - safes, safes=safes)


def _worker(word: WorkerWord) -> WorkerStanding:
    served, stopped = len(from_bits(word.ready)), len(from_bits(word.stopped))
    return WorkerStanding(word.id, word.host, word.version, served, word.draining, word.newest_level, stopped)


def _why_unserved(replies: Sequence[PingReply | None]) -> list[str]:
    """Say how many partitions have no worker, and why others apply nothing: each reason once."""
    missing = replies.count(None)
    without = [f"{missing} of {len(replies)} partitions have no worker"] if missing else []
    pauses = {reply.pauses for reply in replies if reply is not None and reply.pauses is not None}
    return without + several(pauses, MAX_REASONS)


async def _log(bus: Bus, files: Log) -> Log:
    jetstream, elsewhere = JetStream(bus), not files.bytes
    names = await jetstream.streams(all_log_subjects())
    states = [(await jetstream.call(f"STREAM.INFO.{name}"))["state"] for name in names]
    oldest = [_seconds(state["first_ts"]) for state in states if state["messages"]]
    cuts = [cut.recorded for cut in (await log_cuts.read(bus)).values()]
    return Log(
        bytes=sum(state["bytes"] for state in states) if elsewhere else files.bytes,
        messages=sum(state["messages"] for state in states),
        oldest=min(oldest, default=None),
        elsewhere=elsewhere,
        made=files.oldest,
        cut=max(cuts, default=None),
    )


def _seconds(written: str) -> float:
    """Read a time as nats-server writes it: to the nanosecond, which Python does not read."""
    return datetime.fromisoformat(f"{written[:19]}+00:00").timestamp()


async def _with_edge(standing: Standing) -> Standing:
    """Ask the edge whether it is ready."""
    assert standing.http is not None, "only an edge with an address is asked"
    try:
        reason = await asyncio.to_thread(_why_not_ready, standing.http)
    except (OSError, http.client.HTTPException):
        reason = f"the HTTP edge does not answer: {_LOG_HINT} {Path(standing.data_dir or '') / 'log'}"
    return standing if reason is None else _but(standing, reason)


def _connection(url: str) -> http.client.HTTPConnection:
    """Connect to our own edge. Its certificate is for the name by which others reach it."""
    parts = urlsplit(url)
    if parts.scheme != "https":
        return http.client.HTTPConnection(parts.netloc, timeout=HTTP_WITHIN_S)
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(parts.netloc, timeout=HTTP_WITHIN_S, context=context)


def _why_not_ready(url: str) -> str | None:
    connection = _connection(url)
    try:
        connection.request("GET", "/ready")
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status == http.HTTPStatus.OK:
        return None
    try:
        return str(msgspec.json.decode(body)["error"]["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return f"the HTTP edge answers {response.status}"
