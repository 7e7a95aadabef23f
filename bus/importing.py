"""Imports, in as many commands as they need.

What fits into one command is applied whole or not at all. A larger import is checked whole before its first part is
applied. If a part fails nevertheless, since the model has changed meanwhile or nothing answers, the error says which,
and the same import again goes on there: parts have the same ids again, which changes nothing.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from bus.as_app import AsApp
from schemas.codec import encode
from schemas.commands import Import
from schemas.errors import Code, LlumError, Refusal, Transient, raised_from
from schemas.limits import MAX_COMMAND_BYTES
from schemas.paths import format_path
from schemas.queries import CheckImport, GetContext
from schemas.replies import Accepted

PART_WITHIN_S: Final = 60.0
"""Seconds to wait for the outcome of one command of an import, which makes up to thousands of things."""

Parts = Callable[[], Iterable[Import]]
"""Gives the commands of an import in order, the same ones each time: it may be larger than memory."""

PartsWith = Callable[[str], Iterable[Import]]
"""Gives the commands of an import with ids that come from this salt."""


class Imported(msgspec.Struct):
    """What an import has made; nothing if it was made before."""

    counts: Counter[str]
    skipped: list[dict[str, Any]]
    """What concerns apps that are not registered: `what`, `app`, `path`, `code`."""
    is_repeated: bool = True
    """All of it had been imported before."""
    seq: int = 0
    """The sequence of the last command."""

    def note(self, outcome: Accepted) -> None:
        """Take the outcome of a part. What is skipped is told each time."""
        result = outcome.result or {}
        self.skipped += result.get("skipped", ())
        self.seq = outcome.seq
        if not outcome.repeated:
            self.is_repeated = False
            self.counts.update({name: count for name, count in result.items() if name != "skipped"})


async def import_below(model: AsApp, parts: PartsWith, first: list[str], salt: str = "") -> Imported:
    """Import. Where all of it is known already, but the context `first` is not there any more, it is made anew.

    Raises `Refusal`, then nothing of it is applied unless the hint says so; `Transient`.
    """
    while True:
        imported = await send_parts(model, lambda with_salt=salt: parts(with_salt))  # type: ignore[misc]
        if not (imported.is_repeated and imported.seq) or await _is_there(model, first):
            return imported
        salt = f"{salt} {imported.seq}"


async def send_parts(model: AsApp, parts: Parts, checked: int | None = None) -> Imported:
    """Check the commands if there are several, then send them one after the other. Raises as `import_below`.

    `checked` says that they have been checked, and how many they are.
    """
    total = await _check(model, parts) if checked is None else checked
    imported = Imported(Counter(), [])
    for number, command in enumerate(parts(), 1):
        try:
            imported.note(await _accepted(model, command))
        except LlumError as error:
            raise _in_part(error, number, total) from error
    return imported


async def _check(model: AsApp, parts: Parts) -> int:
    """Have each of several commands looked at by the model that it is for. Gives their number."""
    total = 0
    first: Import | None = None
    for command in parts():
        total += 1
        if total == 1:
            first = command
        elif first is not None:
            await _check_one(model, first)
            first = None
        if total > 1:
            await _check_one(model, command)
    return total


async def _check_one(model: AsApp, command: Import) -> None:
    check_size(command)
    query = CheckImport(
        context=command.context,
        contexts=command.contexts,
        apps=command.apps,
        decisions=command.decisions,
        only_new=command.only_new,
    )
    await model.ask(query)


def check_size(command: Import) -> None:
    """Raise `too_large` for a part that no command can hold: it is a single piece."""
    size = len(encode(command))
    if size > MAX_COMMAND_BYTES:
        context = command.contexts[-1]
        where = [*context.path, *(one.definition.name for one in context.components[-1:])]
        message = f"{format_path(where)[:200]}: one piece takes {size} bytes, at most {MAX_COMMAND_BYTES}"
        raise Refusal(Code.TOO_LARGE, message, "contexts", "keep large data elsewhere and tell its address")


async def _accepted(model: AsApp, command: Import) -> Accepted:
    """Send a command. One that was refused earlier is tried anew: what kept it back may be gone."""
    while True:
        outcome = await model.outcome(command, PART_WITHIN_S)
        if isinstance(outcome, Accepted):
            return outcome
        if outcome.error.code is Code.ID_REUSED:
            # Ids come from what a command holds: an earlier llum has written the same in other bytes.
            return Accepted(id=command.id, seq=outcome.seq, repeated=True)
        if not outcome.repeated:
            raise raised_from(outcome.error)
        digest = hashlib.sha256(f"{command.id} {outcome.seq}".encode()).hexdigest()
        command = msgspec.structs.replace(command, id=f"import-{digest[:40]}")


async def _is_there(model: AsApp, path: list[str]) -> bool:
    try:
        await model.ask(GetContext(context=path))
    except Refusal as refusal:
        if refusal.code is Code.NO_SUCH_CONTEXT:
            return False
        raise
    return True


def _in_part(error: LlumError, number: int, total: int) -> LlumError:
    """Say which part of several has failed, and what is in the model."""
    if total == 1:
        return error
    message = f"part {number} of {total}: {error.message}"
    before = "nothing is imported" if number == 1 else f"the first {number - 1} are imported"
    hint = f"{before}; import the same again to go on with part {number}"
    if isinstance(error, Transient):
        return Transient(error.code, message, hint, error.retry_after_s)
    return Refusal(error.code, message, error.error.field, f"{error.hint}; {hint}" if error.hint else hint)
