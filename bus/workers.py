"""Workers, as they say of themselves: who is there, and which partitions each one answers for.

Each writes a word about itself into a bucket again and again. The others hear each word as it is written; who comes
later reads the bucket. Whoever has not been heard for a while is believed to be gone. That may be wrong, and costs
work, never correctness: all workers that serve a partition apply the same log.
"""

import time
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Final, NamedTuple

import msgspec

from bus.connection import Bus
from bus.kv import Bucket
from bus.logger import get_logger
from bus.subjects import WORKER_BUCKET, bucket_key
from bus.wire import Listening
from schemas.errors import LlumError
from schemas.limits import LEAST_WEIGHT

log = get_logger(__name__)

BEAT_S: Final = 0.5
"""Seconds between two words of a worker that is not alone."""

ALONE_BEAT_S: Final = 5.0
"""Seconds between two words of a worker that is: who comes is answered at once all the same."""

SILENT_S: Final = 2.0
"""Seconds without a word after which a worker is believed to be gone: four words have stayed away then."""

LATE_S: Final = 1.0
"""Seconds by which this process may have been late itself, with what it has not read yet, before it judges others."""

OWN_LATE_S: Final = 0.75
"""Seconds after which a worker that does not hear its own word takes it that nothing comes to it: its connection may be
dead without anybody's notice. Less than until it would believe the others gone."""

_KEPT_S: Final = 15.0
"""Seconds that nats-server keeps a word: longer than a worker that is alone takes until the next one."""

KNOWN_S: Final = 24 * 3600.0
"""Seconds for which a worker that fell silent is expected back: most come back within minutes, few after a day."""

KNOWN_AGAIN_S: Final = 60.0
"""Seconds between two notes that a worker is one of those to be expected back. nats-server may have lost the first."""

_KNOWN: Final = "known."
"""Where the keys of such notes begin. A note is the weight of the worker."""


class WorkerWord(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a worker says of itself."""

    id: str
    """Its name: it stays the same as long as its folder of shards is there."""
    run: str
    """Tells this process from earlier ones of that name."""
    host: str
    """The name of its machine."""
    pid: int
    version: str
    """That of llum."""
    started: float
    """When it started, seconds since 1970."""
    weight: float = 1.0
    """Its share of partitions, compared with others."""
    replicas: int = 1
    """How many workers are to serve each partition, as it was told. The largest number that is said counts."""
    draining: bool = False
    """Whether it is to serve nothing any more."""
    ready: str = "0"
    """The partitions that it answers for: bits of a hexadecimal number, partition 0 is the lowest."""
    newest_level: int = 1
    """The highest level that it knows (`schemas.levels`)."""
    met_level: int = 1
    """The highest level that it has come to in a partition."""
    stopped: str = "0"
    """The partitions that it has stopped, as it does not know their level: bits, as in `ready`."""


class Order(msgspec.Struct, frozen=True):
    """What an operator wants of a worker."""

    drain: bool
    """Whether it is to serve nothing any more."""


def as_bits(partitions: Collection[int]) -> str:
    """Write partitions as a word has them."""
    return f"{sum(1 << number for number in set(partitions)):x}"


def from_bits(bits: str) -> frozenset[int]:
    """Read the partitions of a word."""
    number = int(bits, 16)
    return frozenset(place for place in range(number.bit_length()) if number >> place & 1)


class _Known(NamedTuple):
    weight: float
    noted: float
    """When that was noted last."""


class Workers:
    """Knows the words of all workers. From `open` to `close` it hears them."""

    def __init__(self, bus: Bus, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.on_change: list[Callable[[], None]] = []
        """Called when a worker has come, has gone, or says something new. They must not block."""
        self._bus = bus
        self._bucket = Bucket(bus, WORKER_BUCKET)
        self._monotonic = monotonic
        self._prefix_size = len(bucket_key(WORKER_BUCKET, ""))
        self._words: dict[str, WorkerWord] = {}
        self._heard: dict[str, float] = {}
        self._known: dict[str, _Known] = {}
        """Those that are expected back if they fall silent."""
        self._own = ""
        """The name of this worker; empty before its first word."""
        self._said_at = self._came_back_at = monotonic()
        """When its last word was said, and the last one of those that have come back to it."""
        self._unheard_since: float | None = None
        """When the first word was said that has not come back."""
        self._looked_at = monotonic()
        self._listening: Listening | None = None
        bus.on_reconnect.append(self._trust_all)

    async def open(self) -> None:
        """Hear words from now on, and read those that are there. Raises `Transient`, `ApiError`."""
        self._listening = await self._bus.listen(bucket_key(WORKER_BUCKET, ">"), self._on_message)
        await self._bus.flush()
        for entry in await self._bucket.list(">"):
            if entry.key not in self._words:
                self._take(entry.key, entry.value)

    async def close(self) -> None:
        """Hear no more."""
        self._bus.on_reconnect.remove(self._trust_all)
        if self._listening is not None:
            await self._listening.stop()

    def say(self, word: WorkerWord) -> None:
        """Say a word about this worker. It need not arrive: another one follows."""
        self._own, self._said_at = word.id, self._monotonic()
        if self._unheard_since is None:
            self._unheard_since = self._said_at
        self._bucket.put_soon(word.id, msgspec.json.encode(word), _KEPT_S)

    def believed_for_s(self) -> float:
        """Give for how many seconds others go on to believe that this worker is there if they hear no more of it.

        It can tell by its own words, which come back to it as they come to others. Nobody judges one that is alone.
        """
        if not self._words.keys() - {self._own}:
            return SILENT_S
        return self._came_back_at + SILENT_S - self._monotonic()

    def note_known(self, word: WorkerWord) -> None:
        """Note that a worker is to be expected back if it falls silent; one that is drained is not. Note it often."""
        weight = b"" if word.draining else msgspec.json.encode(word.weight)
        self._bucket.put_soon(_KNOWN + word.id, weight, KNOWN_S)

    async def withdraw(self, worker: str) -> None:
        """Say that a worker has gone. Where that does not arrive, others find out."""
        with suppress(LlumError):
            await self._bucket.delete(_KNOWN + worker)
            await self._bucket.delete(worker)

    def present(self) -> dict[str, WorkerWord]:
        """Give the word of each worker that is believed to be there, by its id.

        Whoever was stopped for a while, has lost nats-server or does not hear itself has missed words: it believes all
        until it has heard.
        """
        now = self._monotonic()
        if now - self._looked_at > LATE_S or not self._bus.connected or self._misses_its_own(now):
            self._trust_all()
        self._looked_at = now
        for worker in self._silent(now):
            log.warning("worker_silent", worker=worker, host=self._words[worker].host, for_s=SILENT_S)
            self._forget(worker)
        return dict(self._words)

    def away(self) -> dict[str, float]:
        """Give the weights of those who are expected back, by their ids: their places are kept for them."""
        now = self._monotonic()
        self._known = {worker: known for worker, known in self._known.items() if now - known.noted <= KNOWN_S}
        return {worker: known.weight for worker, known in self._known.items() if worker not in self._words}

    def _silent(self, now: float) -> list[str]:
        """Give who is believed to be gone: never this worker itself, which says little while it is alone."""
        return [worker for worker, heard in self._heard.items() if worker != self._own and now - heard > SILENT_S]

    def _misses_its_own(self, now: float) -> bool:
        return self._unheard_since is not None and now - self._unheard_since > OWN_LATE_S

    def _trust_all(self) -> None:
        now = self._monotonic()
        for worker in self._heard:
            self._heard[worker] = now

    def _on_message(self, subject: bytes, _reply: bytes, _headers: bytes, data: bytes) -> None:
        self._take(subject[self._prefix_size :].decode("utf-8", "replace"), data)

    def _take(self, key: str, data: bytes) -> None:
        """Take a word; without one the key has been deleted, or is forgotten."""
        if key.startswith(_KNOWN):
            self._take_known(key.removeprefix(_KNOWN), data)
            return
        if key == self._own:
            self._came_back_at, self._unheard_since = self._said_at, None
        if not data:
            self._forget(key)
            return
        try:
            word = _decoder.decode(data)
            from_bits(word.ready)
            from_bits(word.stopped)
        except (msgspec.DecodeError, ValueError) as error:
            # That of another version, perhaps: what cannot be read says that nobody answers for anything.
            log.warning("worker_not_understood", worker=key, error=str(error))
            return
        self._heard[key] = self._monotonic()
        if self._words.get(key) != word:
            self._words[key] = word
            self._changed()

    def _take_known(self, worker: str, data: bytes) -> None:
        before = self._known.pop(worker, None)
        try:
            weight = max(msgspec.json.decode(data, type=float), LEAST_WEIGHT) if data else None
        except msgspec.DecodeError as error:
            log.warning("worker_not_understood", worker=worker, error=str(error))
            weight = None
        if weight is not None:
            self._known[worker] = _Known(weight, self._monotonic())
        if weight != (None if before is None else before.weight):
            self._changed()

    def _forget(self, worker: str) -> None:
        if self._words.pop(worker, None) is not None:
            del self._heard[worker]
            self._changed()

    def _changed(self) -> None:
        for hook in self.on_change:
            hook()


_decoder: Final = msgspec.json.Decoder(WorkerWord)


async def read_words(bus: Bus) -> list[WorkerWord]:
    """Read the last word of each worker; one that was killed a moment ago is among them. Raises `Transient`."""
    return sorted(await read_places(bus), key=lambda word: (word.host, word.id))


async def read_places(bus: Bus) -> dict[WorkerWord, int]:
    """Read the same with the place of each word in the bucket: it is another one once the worker has said it again."""
    entries = await Bucket(bus, WORKER_BUCKET).list("*")
    return {_decoder.decode(entry.value): entry.seq for entry in entries}
