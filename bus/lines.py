"""The lines of which a process's log has many: one for each command, ask and request; and those of its start and end.

structlog takes 12 to 18 µs for a line, most of what some asks cost otherwise. So these are structs, and go as they are
to whoever has set up logging (`llum.processes.logs`), who encodes and writes them together. While nobody has, they go
through structlog like all other lines. None has a token or a value of evidence in it.
"""

import time
from collections.abc import Callable

import msgspec

from bus.logger import get_logger


class LoggedCommand(msgspec.Struct, kw_only=True, gc=False):
    """What became of a command."""

    at: float = msgspec.field(default_factory=time.time)
    level: str = "info"
    event: str = "command"
    user: str
    app: str
    verb: str
    id: str | None
    seq: int
    code: str
    """`accepted`, or why not."""
    repeated: bool


class LoggedCaughtUp(msgspec.Struct, kw_only=True, gc=False):
    """How many commands were applied at once that nobody waits for any more, in place of a line for each."""

    at: float = msgspec.field(default_factory=time.time)
    level: str = "info"
    event: str = "commands_caught_up"
    partition: int
    count: int
    seq: int
    """That of the last one."""


class LoggedAsk(msgspec.Struct, kw_only=True, gc=False):
    """How an ask was answered."""

    at: float = msgspec.field(default_factory=time.time)
    level: str = "info"
    event: str = "ask"
    user: str
    app: str
    verb: str
    code: str
    """`answered`, or why not."""
    components: int
    seq: int
    duration_ms: float


class LoggedRequest(msgspec.Struct, kw_only=True, gc=False):
    """How a request over HTTP was answered."""

    at: float = msgspec.field(default_factory=time.time)
    level: str = "info"
    event: str = "request"
    request_id: str
    method: str
    route: str | None
    status: int
    user: str | None
    app: str | None
    op: str | None
    code: str | None
    """Null: nothing was refused."""
    duration_ms: float
    bytes: int


class LoggedStep(msgspec.Struct, kw_only=True, gc=False):
    """How far a process is. A line of this kind because starting and ending need no other, nor structlog for it."""

    at: float = msgspec.field(default_factory=time.time)
    level: str = "info"
    event: str
    """`ready`, `stopped`."""


class LoggedPlacement(msgspec.Struct, kw_only=True, gc=False):
    """Which share of the partitions a worker has. Of this kind as it is a line of each start, too."""

    at: float = msgspec.field(default_factory=time.time)
    level: str = "info"
    event: str = "placed"
    workers: int
    away: int
    """Workers that are expected back soon."""
    replicas: int
    partitions_here: int


Line = LoggedCommand | LoggedCaughtUp | LoggedAsk | LoggedRequest | LoggedStep | LoggedPlacement
TakeLine = Callable[[Line], None]

_HEAD = ("at", "level", "event")
"""Members that structlog adds by itself."""


def write(line: Line) -> None:
    """Have a line written. Raises nothing."""
    _take(line)


def flush() -> None:
    """Have all lines written that were taken and wait to be."""
    _flush()


def lead(take: TakeLine | None = None, flush: Callable[[], None] | None = None) -> None:
    """Have all lines taken by `take` from now on, which writes them when `flush` is called; or again by structlog."""
    global _take, _flush
    _take, _flush = take or _through_structlog, flush or _nothing_waits


def show(also: TakeLine) -> None:
    """Show all lines to `also`, too, from now on, whether they are written or not."""
    take = _take

    def take_and_show(line: Line) -> None:
        also(line)
        take(line)

    lead(take_and_show, _flush)


def _through_structlog(line: Line) -> None:
    members = msgspec.structs.asdict(line)
    get_logger().info(line.event, **{name: members[name] for name in members if name not in _HEAD})


def _nothing_waits() -> None:
    """Write nothing: each line is written as it is taken."""


_take: TakeLine = _through_structlog
_flush: Callable[[], None] = _nothing_waits
