"""Forgetting a person: everything of them is erased, wherever it is, and counted.

The order makes it safe to interrupt and to do again. A `Forget` goes through the log like any command. Once its outcome
is there, the worker has applied it: the rows are gone from the shard, and the shard's file has been written anew and is
on the disk. Only then is the log erased, the `Forget` itself as the last of it. So no worker can make the person again
from the log, neither one that restarts nor one that builds its shards anew.

That somebody was forgotten is recorded before anything else is erased, without their name (`bus.forgotten`). So a
backup that was made before forgets them again when it is restored.

What arrives meanwhile (a rule that is just being evaluated, an app that goes on telling) is found by doing it again. An
app that tells faster than one can erase is not chased for ever: its commands are refused, because there is no model any
more, and are named in the receipt.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from bus import asked, subjects
from bus.connection import Bus
from bus.erasing import RENEWED, StopCheck, renew, write_index
from bus.forgotten import Register
from bus.jetstream import JetStream, Stored
from bus.leases import RENEWING, lease
from bus.replicas import replicas_of
from llum.client import Client
from llum.people.forgetter import Counts, Forgetter
from schemas.errors import LlumError
from schemas.paths import check_token
from sensors.spool_files import check_no_sensor_runs

MOST_PASSES: Final = 3
"""Times that all of it is done where something is left that nobody has told: it was on its way when its place was
looked at, such as a notice that was just being sent."""

_FAILURES: Final = (LlumError, OSError)
"""What keeps one from being forgotten now: what they are told, or files of this machine."""

MOST_NAMED: Final = 3
"""People who are named in a line that says how far it has got."""


class Receipt(msgspec.Struct, kw_only=True):
    """What was erased, and what is left. It is printed and kept nowhere."""

    user: str
    removed: Counts
    left: Counts
    known: bool
    """There was a model, or one that somebody had begun to forget. False: the name may be mistyped."""
    told_by: list[str] = []
    """Apps that have told since: what they tell is refused, but stands in the log."""
    not_looked_at: list[str] = []
    in_votes: bool = False
    """The servers of a cluster keep what they have voted on for some minutes more."""
    backups_told: list[str] = []
    """They forget the person again when they are restored."""
    backups_not_told: list[str] = []
    """These could not be reached, each with the reason."""


async def forget_person(
    client: Client,
    user: str,
    data_dir: Path,
    on_progress: Callable[[str], None] = lambda _: None,
    *,
    is_temporary: bool = False,
) -> Receipt:
    """Erase everything of a user. Doing it again finishes what was interrupted, and finds nothing after that.

    `data_dir` is the data folder if it is on this machine. `on_progress` takes a line that says how far it has got. A
    temporary user is not recorded: a backup knows itself until when they are kept.
    Raises `SensorError` while a sensor tells about the user, `Refusal`, `Transient`, `ApiError`.
    """
    (forgotten,) = await forget_people(client, [user], data_dir, on_progress, is_temporary=is_temporary)
    if isinstance(forgotten, Exception):
        raise forgotten
    return forgotten


async def forget_people(
    client: Client,
    users: Sequence[str],
    data_dir: Path,
    on_progress: Callable[[str], None] = lambda _: None,
    *,
    is_temporary: bool = False,
) -> list[Receipt | LlumError | OSError]:
    """Do the same for many, and write what nats-server keeps of them anew once for all: that is most of the work.

    Gives for each what `forget_person` returns or raises. One who cannot be forgotten now keeps nobody else. Raises
    `Transient` before anything is done.
    """
    in_votes = await replicas_of(client.bus) > 1
    people = [_Person(client, user, data_dir, on_progress, is_temporary) for user in users]
    await _each(people, _Person.look)
    for _ in range(MOST_PASSES):
        going_on = [one for one in people if one.goes_on]
        await _each(going_on, _Person.erase)
        await _erase_remains(client.bus, [one for one in going_on if one.goes_on], on_progress)
        await _each([one for one in going_on if one.goes_on], _Person.finish)
    await _each([one for one in people if one.failure is None], _Person.record)
    return [one.failure or one.receipt(in_votes) for one in people]


async def _each(people: Iterable["_Person"], step: Callable[["_Person"], Awaitable[None]]) -> None:
    for one in people:
        try:
            await step(one)
        except _FAILURES as error:
            one.failure = error


class _Person:
    """One who is being forgotten, step by step."""

    def __init__(
        self, client: Client, user: str, data_dir: Path, on_progress: Callable[[str], None], is_temporary: bool
    ) -> None:
        self.user = user
        self.failure: LlumError | OSError | None = None
        self._data_dir = data_dir
        register = None if is_temporary else Register(client.bus)
        self._forgetter = Forgetter(client, user, data_dir, on_progress, register)
        self._removed = self._left = Counts()
        self._known = self._is_done = False
        self._told_by: list[str] = []

    @property
    def goes_on(self) -> bool:
        """Whether there is more to do about them."""
        return self.failure is None and not self._is_done

    async def look(self) -> None:
        check_token(self.user, "user")
        check_no_sensor_runs(self._forgetter.spool_folder, self.user)
        self._removed = await self._forgetter.model_size()
        self._known = bool(self._removed.models) or await self._forgetter.is_begun()
        self._removed.schedules = await self._forgetter.schedules()

    async def erase(self) -> None:
        self._removed += await self._forgetter.erase_rounds()

    async def finish(self) -> None:
        """Look at what is left, and erase what has to go last.

        That is until when a temporary user is kept: as long as anything is left, a sweep finds them by it.
        """
        self._left = await self._forgetter.left_on_the_bus()
        self._told_by = await self._forgetter.told_by() if self._left.commands else []
        self._removed += await self._forgetter.erase_files()
        self._left += await self._forgetter.left_in_files()
        if self._left.total == self._left.trials:
            self._removed += await self._forgetter.erase_trial()
            self._left.trials = 0
        self._is_done = bool(self._told_by) or not self._left.total

    async def record(self) -> None:
        await self._forgetter.record(is_finished=not self._left.total)

    def receipt(self, in_votes: bool) -> Receipt:
        """Say what came of it."""
        is_here = self._data_dir.is_dir()
        return Receipt(
            user=self.user,
            removed=self._removed,
            left=self._left,
            known=self._known,
            told_by=self._told_by,
            not_looked_at=[] if is_here else [f"log files and spools: there is no folder {self._data_dir} here"],
            in_votes=in_votes,
        )


async def _erase_remains(bus: Bus, people: Sequence[_Person], on_progress: Callable[[str], None]) -> None:
    """Erase from nats-server's files what is no message any more."""
    if not people:
        return
    try:
        waits = "waiting until another forgetting has done the same"
        async with lease(bus, RENEWING, lambda: on_progress(waits)) as held:
            await _write_anew(bus, {one.user for one in people}, on_progress, held.check)
    except _FAILURES as error:
        for one in people:
            one.failure = error


async def _write_anew(bus: Bus, users: Collection[str], on_progress: Callable[[str], None], check: StopCheck) -> None:
    def is_rejection(message: Stored) -> bool:
        """What was refused since the last round is not worth to be written anew."""
        return message.subject.startswith(rejections)

    rejections = tuple(subjects.rejected_subject(user, "*").removesuffix("*") for user in users)
    whom = ", ".join(sorted(users)) if len(users) <= MOST_NAMED else f"{len(users)} people"
    for stream in RENEWED:
        on_progress(f"writing {stream} anew, without {whom}")
        await renew(bus, stream, is_rejection, check)
    on_progress(f"writing {subjects.AUDIT_STREAM} anew, without {whom}")
    await asked.renew(bus)
    logs = await JetStream(bus).streams(subjects.log_subjects_of_user("*"))
    effects = {stream for user in users for stream, _ in subjects.effect_subjects_of_user(user)}
    for stream in [*sorted(effects), *sorted(logs)]:
        await write_index(bus, stream)
