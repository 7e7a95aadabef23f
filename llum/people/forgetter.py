"""What there is of a person, place by place: counted, and erased."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from bus import subjects
from bus.as_app import new_id
from bus.erasing import Choice, erase, erase_schedules
from bus.forgotten import Register
from bus.holders import until_erased
from bus.installation import find as find_installation
from bus.jetstream import JetStream, Stored
from bus.pings import ping
from identity.accounts.store import Accounts
from identity.app_passwords import AppPasswords
from identity.oauth.issuing import Issuing
from identity.preferences.joining import KeyJoining
from identity.preferences.keys import PreferenceKeys
from identity.sessions.store import Sessions
from identity.temporary.users import TemporaryUsers
from identity.tokens import Tokens
from llum.client import Client
from llum.people.log_forgetting import count_in_logs, forget_in_logs
from schemas.app_names import app_name
from schemas.apps import APPS_OF_RULES
from schemas.commands import Forget
from schemas.errors import Code, Refusal, Transient
from schemas.verbs import verb_of
from sensors.spool_files import remove_spools, spools_of

FORGET_TIMEOUT_S: Final = 600.0
"""Seconds for the command: the shard's file is written anew, which takes a second for each 100 MB or so."""

PING_WITHIN_S: Final = 5.0

MOST_ROUNDS: Final = 10
"""There are two at least: the second also erases what the first one has set off, such as outcomes. After so many that
all found something, somebody goes on telling."""

CHASE_S: Final = 10.0
"""Seconds for all rounds after the first: by then what comes has been told since, and there is no end to it."""


class Counts(msgspec.Struct, kw_only=True):
    """How much there was of a person, or is left."""

    models: int = 0
    contexts: int = 0
    components: int = 0
    evidence: int = 0
    commands: int = 0
    """In the log."""
    rejections: int = 0
    notices: int = 0
    """To URLs, that wait or could not be delivered; and times of schedules that have come."""
    schedules: int = 0
    registrations: int = 0
    """Announcements that an app was registered or deleted, of the last minutes."""
    asked: int = 0
    """Messages that say who asked about the person, and when."""
    accounts: int = 0
    """With all by which the person signs in."""
    tokens: int = 0
    families: int = 0
    """Sign-ins of apps, with their refresh tokens."""
    passwords: int = 0
    sessions: int = 0
    """Of browsers in which the person has signed in."""
    keys: int = 0
    """Keys of preferences that open something of the person. Each is refused from then on."""
    joins: int = 0
    """Safes that the person had begun to join to their model."""
    trials: int = 0
    """Notes until when a temporary user is kept."""
    spooled: int = 0
    """Observations of sensors of this data folder that had not been sent."""
    log_lines: int = 0

    @property
    def total(self) -> int:
        return sum(getattr(self, name) for name in self.__struct_fields__)

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(**{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__})


class Forgetter:
    """Erases one user, place by place."""

    def __init__(
        self,
        client: Client,
        user: str,
        data_dir: Path,
        on_progress: Callable[[str], None],
        register: Register | None,
    ) -> None:
        self._register = register
        self._on_progress = on_progress
        self._erased = 0
        self._deadline: float | None = None
        """When the chase ends, on the clock of this machine; None: it has not begun."""
        self._client = client
        self._bus = client.bus
        self._jetstream = JetStream(client.bus)
        self._families = Issuing(client.bus, Tokens(client.bus)).families
        self._keys = PreferenceKeys(client.bus)
        self._user = user
        self.is_here = data_dir.is_dir()
        self._log_folder = data_dir / "log"
        self.spool_folder = data_dir / "spool"

    async def model_size(self) -> Counts:
        """Count what is in the model."""
        try:
            size = (await self._client.get_context(self._user, size=True)).size
        except Refusal as refusal:
            if refusal.code is not Code.NO_SUCH_MODEL:
                raise
            return Counts()
        assert size is not None, "it was asked for"
        return Counts(models=1, contexts=size.contexts, components=size.components, evidence=size.evidence)

    async def schedules(self) -> int:
        """Count schedules. They are counted first: the worker ends most of them itself, once the model is gone."""
        return sum([await self._jetstream.count(*place) for place in self._effects if _is_schedule(*place)])

    async def is_begun(self) -> bool:
        """Tell whether a forgetting was begun and not finished: its command goes last."""
        forgets = subjects.log_subjects_of_user_and_verb(self._user, verb_of(Forget))
        return any([await self._jetstream.count(stream, forgets) for stream in await self._log_streams()])

    async def erase_rounds(self) -> Counts:
        """Erase until nothing is found any more, or what is found has been told since."""
        erased = Counts()
        for number in range(1, MOST_ROUNDS + 1):
            found = await self.erase_round()
            erased += found
            if number == 1:
                self._deadline = time.monotonic() + CHASE_S
            elif not found.total or not self._go_on(0):
                break
        return erased

    def _go_on(self, erased: int) -> bool:
        """Say how much has been erased; tell whether there is time for more."""
        self._erased += erased
        self._on_progress(f"erased {self._erased:,} messages of {self._user}")
        return self._deadline is None or time.monotonic() < self._deadline

    async def told_by(self) -> list[str]:
        """Name the apps whose commands are in the log, but for rules, which have ended with the model."""
        found = [await self._jetstream.subjects(stream, self._commands) for stream in await self._log_streams()]
        apps = {subjects.parse_address(subject).app for each in found for subject in each}
        return sorted(app_name(app) for app in apps - APPS_OF_RULES)

    async def erase_round(self) -> Counts:
        """Have the model forgotten, then erase what the bus holds, the log last."""
        forgotten = await self._client.send(self._user, Forget(id=new_id()), FORGET_TIMEOUT_S)
        await self.record(is_finished=False)
        await self._until_all_have_applied(forgotten.seq)
        erased = await self._erase_messages()
        erased.commands = await self._erase_log(forgotten.seq)
        return erased

    async def record(self, *, is_finished: bool) -> None:
        """Record that the user was forgotten: before anything of them is erased, and when it is done."""
        if self._register is not None:
            await self._register.record(self._user, is_finished=is_finished)

    async def erase_trial(self) -> Counts:
        """Erase until when a temporary user is kept."""
        return Counts(trials=await TemporaryUsers(self._bus).erase_user(self._user))

    async def left_on_the_bus(self) -> Counts:
        """Count what there is still, but for files of this machine."""
        left = await self.model_size()
        left.accounts = await Accounts(self._bus, self._client.requests).count(self._user)
        left.tokens = await Tokens(self._bus).count(self._user)
        left.families = await self._families.count(self._user)
        left.passwords = await AppPasswords(self._bus).count(self._user)
        left.trials = await TemporaryUsers(self._bus).count(self._user)
        left.keys = await self._keys.count(self._user)
        left.sessions = await Sessions(self._bus).count(self._user)
        left.rejections = await self._jetstream.count(subjects.REJECTED_STREAM, self._rejections)
        left.registrations = await self._jetstream.count(subjects.REGISTRATIONS_STREAM, self._registrations)
        left.asked = await self._jetstream.count(subjects.AUDIT_STREAM, self._asked)
        left.schedules = await self.schedules()
        for place in self._effects:
            left.notices += 0 if _is_schedule(*place) else await self._jetstream.count(*place)
        for stream in await self._log_streams():
            left.commands += await self._jetstream.count(stream, self._commands)
        return left

    async def erase_files(self) -> Counts:
        """Remove spools, and take the user out of the logs: last, as all that is asked about the user is logged."""
        await self._wait_for_log_lines()
        spooled = await asyncio.to_thread(remove_spools, self.spool_folder, self._user)
        lines = await asyncio.to_thread(forget_in_logs, self._log_folder, self._user)
        return Counts(spooled=spooled, log_lines=lines)

    async def left_in_files(self) -> Counts:
        spooled = len(await asyncio.to_thread(spools_of, self.spool_folder, self._user))
        lines = await asyncio.to_thread(count_in_logs, self._log_folder, self._user)
        return Counts(spooled=spooled, log_lines=lines)

    async def _wait_for_log_lines(self) -> None:
        """Wait until the worker has logged the last ask about the user: it writes all lines before it answers pings."""
        partition = await self._partition()
        if partition is not None:
            await ping(self._bus, partition, PING_WITHIN_S)

    async def _until_all_have_applied(self, seq: int) -> None:
        """Wait for all workers that answer for the user: one that lags would give what the others have erased."""
        partition = await self._partition()
        if partition is not None:
            await until_erased(self._bus, partition, seq, self._on_progress)

    async def _partition(self) -> int | None:
        installation = await find_installation(self._bus)
        return None if installation is None else subjects.partition_of(self._user, installation.partitions)

    async def _erase_messages(self) -> Counts:
        """Erase all but the log: first what lets anyone in, then what is on its way."""
        erased = Counts(
            accounts=await Accounts(self._bus, self._client.requests).erase_user(self._user),
            families=await self._families.erase_user(self._user),
            tokens=await Tokens(self._bus).erase_user(self._user),
            passwords=await AppPasswords(self._bus).erase_user(self._user),
            sessions=await Sessions(self._bus).erase_user(self._user),
            keys=await self._keys.erase_user(self._user),
            joins=await KeyJoining(self._keys, self._client.requests).forget_user(self._user),
            rejections=await self._erase(subjects.REJECTED_STREAM, self._rejections),
            registrations=await self._erase(subjects.REGISTRATIONS_STREAM, self._registrations),
            asked=await self._erase(subjects.AUDIT_STREAM, self._asked),
        )
        for stream, subject in self._effects:
            if _is_schedule(stream, subject):
                await erase_schedules(self._bus, subject)
            else:
                erased.notices += await self._erase(stream, subject)
        return erased

    async def _erase_log(self, forgotten_seq: int) -> int:
        """Erase the commands up to the one that forgot the model. That one goes last, and is not counted."""
        count, forget = 0, subjects.log_subjects_of_user_and_verb(self._user, verb_of(Forget))
        for stream in await self._log_streams():
            count += await self._erase(stream, self._commands, forgotten_seq, _is_no_forget)
            await erase(self._bus, stream, forget)
        return count

    async def _erase(self, stream: str, subject: str, up_to: int | None = None, which: Choice | None = None) -> int:
        return await erase(self._bus, stream, subject, up_to, which, self._go_on)

    async def _log_streams(self) -> list[str]:
        streams = await self._jetstream.streams(self._commands)
        if not streams:
            raise Transient(Code.UNAVAILABLE, "nats-server does not name the streams of the log")
        return streams

    @property
    def _commands(self) -> str:
        return subjects.log_subjects_of_user(self._user)

    @property
    def _rejections(self) -> str:
        return subjects.rejected_subject(self._user, "*")

    @property
    def _registrations(self) -> str:
        return subjects.registration_subject(self._user, "*")

    @property
    def _asked(self) -> str:
        return subjects.audit_subject(self._user)

    @property
    def _effects(self) -> list[tuple[str, str]]:
        return subjects.effect_subjects_of_user(self._user)


def _is_schedule(stream: str, subject: str) -> bool:
    return stream == subjects.SCHEDULES_STREAM and subjects.is_schedule(subject)


def _is_no_forget(message: Stored) -> bool:
    """A `Forget` that waits long for its outcome is sent again: the repeats are not what was of the user."""
    return subjects.parse_address(message.subject).verb != verb_of(Forget)
