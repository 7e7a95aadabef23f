"""One plug-in: the asks that wait for its process, the bounds of each call, and when it is off."""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import msgspec

from actors.plugins.process import BrokenError, PluginProcess
from actors.plugins.wire import JobResult, PluginDeclaration, PluginEntry
from bus.logger import get_logger
from model.checks import check_json
from model.elsewhere import ResolveElsewhere
from model.evidence import decode_evidence
from model.reads import MAX_READ_BYTES
from model.resolvers.registry import Resolved, failed
from schemas.errors import Code, Error, LlumError, Refusal, raised_from
from schemas.limits import MAX_EVIDENCE_CONSIDERED

log = get_logger(__name__)


class Bounds(msgspec.Struct, frozen=True):
    """What strangers' code may take. The numbers are a promise to those who write it."""

    call_s: float = 1.0
    """Seconds for one call: all components of one ask."""
    ask_s: float = 2.0
    """Seconds for all plug-ins of one ask, waiting included."""
    load_s: float = 30.0
    """Seconds for a process to start and import its plug-in."""
    pieces: int = MAX_EVIDENCE_CONSIDERED
    bytes: int = MAX_READ_BYTES
    """Evidence in one call."""
    waiting: int = 64
    """Calls that wait for one plug-in."""
    waiting_bytes: int = 2 * MAX_READ_BYTES
    """Bytes of evidence in calls that wait for one plug-in, or are being served."""
    kills: int = 3
    kills_within_s: float = 60.0
    off_s: float = 300.0
    """After so many kills within so many seconds it is off for so long."""


BOUNDS: Final = Bounds()

_LESS: Final = "ask for fewer components, or use a filter that selects less evidence"


class PluginCall:
    """What one ask wants of one plug-in, and what has come of it so far."""

    def __init__(self) -> None:
        self.wanted: list[ResolveElsewhere] = []
        self.results: list[Resolved | LlumError] = []
        """Of the first of them."""
        self.ended = asyncio.Event()

    def fitting(self, bounds: Bounds) -> tuple[list[ResolveElsewhere], int]:
        """Give the first of them that are within the bounds together, and the bytes of their evidence."""
        pieces = size = 0
        for index, one in enumerate(self.wanted):
            pieces += len(one.bodies)
            more = sum(map(len, one.bodies))
            if pieces > bounds.pieces or size + more > bounds.bytes:
                return self.wanted[:index], size
            size += more
        return self.wanted, size

    def end(self, error: LlumError) -> None:
        """Let all that is not done fail."""
        self.results += [error] * (len(self.wanted) - len(self.results))
        self.ended.set()


class Plugin:
    """One plug-in, from `load` to `close`. It serves one call after the other."""

    def __init__(self, load: PluginEntry, bounds: Bounds = BOUNDS) -> None:
        self.name = load.name
        self.bounds = bounds
        self._load = load
        self._process: PluginProcess | None = None
        self._calls: deque[tuple[PluginCall, Sequence[ResolveElsewhere]]] = deque()
        """Those that wait, each with what is within the bounds."""
        self._size = 0
        """Bytes of evidence that asks hold which wait or are being served."""
        self._arrived = asyncio.Event()
        self._busy = False
        self._kills: deque[float] = deque(maxlen=bounds.kills)
        self._off_until = 0.0
        self._serving: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Its process; None while there is none."""
        return self._process.pid if self._process is not None else None

    @property
    def waiting(self) -> int:
        """Calls that wait for the one that is being served."""
        return len(self._calls)

    @property
    def is_busy(self) -> bool:
        """Tell whether a call is being served."""
        return self._busy

    async def load(self) -> PluginDeclaration:
        """Start its process, and give what it declares; `error` says why it cannot be used."""
        try:
            loaded = await self._started()
        except (BrokenError, OSError) as error:
            loaded = PluginDeclaration(error=str(error))
        if loaded.error is None:
            self._serving = asyncio.create_task(self._serve(), name=f"plugin {self.name}")
        else:
            await self._end_process()
        return loaded

    async def close(self) -> None:
        """End its process."""
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)
        await self._end_process()
        for call, _ in self._calls:
            call.end(failed(self.name, "llum stops"))

    async def resolve(self, call: PluginCall, deadline: float) -> None:
        """Fill in the results of a call. What is not done at the deadline (of the loop's clock) has failed."""
        fitting, size = call.fitting(self.bounds)
        refused = self._refused(size)
        if refused is not None:
            call.end(refused)
            return
        self._size += size
        self._calls.append((call, fitting))
        self._arrived.set()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(deadline):
                    await call.ended.wait()
        finally:
            self._size -= size
            call.end(failed(self.name, f"there was no value within {self.bounds.ask_s:g} s"))

    def _refused(self, size: int) -> LlumError | None:
        """Say why a call is not even queued, if so."""
        off_s = self._off_until - asyncio.get_running_loop().time()
        if off_s > 0:
            return self._later(f"it is off, because it had to be ended {self.bounds.kills} times", off_s)
        if len(self._calls) >= self.bounds.waiting or self._size + size > self.bounds.waiting_bytes:
            return self._later("too many asks wait for it", self.bounds.call_s)
        return None

    def _too_much(self) -> LlumError:
        amount = f"{self.bounds.pieces} pieces or {self.bounds.bytes} bytes of evidence"
        message = f"the resolver {self.name} failed: it would get more than {amount} in one ask"
        return Refusal(Code.RESOLVER_FAILED, message, "resolver", _LESS)

    def _later(self, why: str, after_s: float) -> LlumError:
        message = f"the resolver {self.name} failed: {why}"
        return raised_from(Error(Code.RESOLVER_FAILED, message, "resolver", "name another resolver", after_s))

    async def _serve(self) -> None:
        while True:
            while not self._calls:
                self._arrived.clear()
                await self._arrived.wait()
            call, fitting = self._calls.popleft()
            if not call.ended.is_set():
                self._busy = True
                await self._serve_one(call, fitting)
                self._busy = False

    async def _serve_one(self, call: PluginCall, fitting: Sequence[ResolveElsewhere]) -> None:
        """Serve a call. If the process must be ended, the next one is started before anybody asks for it."""
        try:
            if self._process is None:
                await self._started_again()
            await self._called(call, fitting)
        except (BrokenError, OSError) as error:
            call.end(failed(self.name, str(error)))
            await self._end_process()
            if not self._is_off_after(str(error)):
                with suppress(BrokenError, OSError):
                    await self._started_again()
        except Exception:
            log.exception("plugin_failed", name=self.name)
            call.end(failed(self.name, "a fault in llum; it has been recorded"))
            await self._end_process()

    async def _called(self, call: PluginCall, fitting: Sequence[ResolveElsewhere]) -> None:
        assert self._process is not None, "it has been started"
        try:
            async with asyncio.timeout(self.bounds.call_s):
                places = iter(fitting)
                async for result in self._process.call(fitting):
                    resolved = self._judged(next(places), result)
                    # Of an ask that has gone the rest is read all the same, for the next one begins after it.
                    if not call.ended.is_set():
                        call.results.append(resolved)
        except TimeoutError:
            raise BrokenError(f"it took more than {self.bounds.call_s:g} s") from None
        call.end(self._too_much())

    def _judged(self, wanted: ResolveElsewhere, result: JobResult) -> Resolved | LlumError:
        """Take a result in: what comes from a stranger is looked at again."""
        if result.error is not None:
            return failed(self.name, result.error[:300])
        try:
            check_json(result.value, "value", Code.RESOLVER_FAILED)
            used = [wanted.bodies[place] for place in result.used]
            return Resolved(result.value, tuple(decode_evidence(used)))
        except (Refusal, IndexError) as error:
            return failed(self.name, str(error))

    async def _started(self) -> PluginDeclaration:
        self._process = await PluginProcess.start()
        try:
            async with asyncio.timeout(self.bounds.load_s):
                return await self._process.load(self._load)
        except TimeoutError:
            raise BrokenError(f"it could not be loaded within {self.bounds.load_s:g} s") from None

    async def _started_again(self) -> None:
        loaded = await self._started()
        if loaded.error is not None:
            raise BrokenError(f"it could not be loaded: {loaded.error}")

    async def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await process.kill()

    def _is_off_after(self, why: str) -> bool:
        """Note that the process had to be ended, and tell whether that was once too often."""
        now = asyncio.get_running_loop().time()
        self._kills.append(now)
        log.warning("plugin_ended", name=self.name, why=why)
        if len(self._kills) < self.bounds.kills or now - self._kills[0] > self.bounds.kills_within_s:
            return False
        self._kills.clear()
        self._off_until = now + self.bounds.off_s
        log.error("plugin_off", name=self.name, for_s=self.bounds.off_s)
        while self._calls:
            self._calls.popleft()[0].end(self._later("it is off", self.bounds.off_s))
        return True
