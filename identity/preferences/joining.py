"""A person who has the key takes a safe into their own model. From then on the key reaches that one place of it.

The order of the steps loses nothing that is told meanwhile, and makes it safe to break off anywhere:

1. A note says who joins which safe. Of many who try at once, one writes it.
2. The key's app gets its rights in the person's model: there is nothing yet that it could reach.
3. The safe becomes read-only. Its log orders that among the writers: what was told before is copied, what comes after
   is refused. An edge that is refused waits until the note is gone (`settled`), and tells it at the new place.
4. What the safe holds is copied, with times, order and sources. The safe stands still, so doing it again after a break
   sends the same commands with the same ids, which changes nothing.
5. The records of all its keys say where they lead. Edges hear of it at once.
6. The safe is noted among those whose time is over in a minute, and is forgotten then by whoever sweeps: until then it
   refuses what an edge sends that has looked at a key earlier.
7. The note goes. Where it has stayed, whoever sweeps goes on with the first step that is not done.

What is refused on the way, by the person's model say, is undone at once: the rights and what was copied are taken back,
and the safe takes what it is told again. A note that says so is written before, so nobody goes on with the join then.
Whoever works on a join holds its note (`join_notes`): that of two one undoes what the other goes on with cannot be.
"""

import contextlib
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Final

import msgspec

from bus.as_app import AsApp, LastWrites, Sending, new_id
from bus.importing import send_parts
from bus.logger import get_logger
from identity.preferences.join_notes import BeingMoved, HeldNote, JoinNote, JoinNotes
from identity.preferences.keys import JOINED, KeyRecord, PreferenceKeys, is_key
from identity.temporary.users import TemporaryUsers
from model.formats.parcels import Piece, import_commands
from schemas.apps import OWNER_APP, PREFERENCES_APP, is_llums_own
from schemas.commands import DeleteContext, Import, Tell
from schemas.definitions import ImportedContext
from schemas.errors import Code, LlumError, Refusal
from schemas.evidence import NewEvidence
from schemas.grants import Consent, ConsentVerdict
from schemas.paths import check_segment, check_token, format_path
from schemas.preferences import PREFERENCES_PLACE, SAFE_CONTEXT, PreferencesReply, SafeType
from schemas.queries import Ask, Export, GetContext, Preferences
from schemas.replies import AskReply, ExportReply
from schemas.slices import Slice

FORGOTTEN_AFTER_S: Final = 60.0
"""Seconds for which the copied safe still refuses: longer than any edge may hold what it knew of a key."""

_GONE: Final = frozenset({Code.NO_SUCH_MODEL, Code.NO_SUCH_CONTEXT, Code.NO_SUCH_APP})
"""Why what is to be taken back is not there: the join has not come so far, or the person has gone."""

_UNDOING: Final[tuple[SafeType, ...]] = ("snapset", "user")
"""What the type of a safe is told: also the former, so that whoever goes on late repeats it, which changes nothing."""

log = get_logger("llum.joining")


class KeyJoining:
    """Joins safes to models. All methods raise `Transient`, `ApiError`."""

    def __init__(self, keys: PreferenceKeys, requests: Sending, now: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._bus = keys.bus
        self._notes = JoinNotes(keys.store.bucket, now)
        self._requests = requests
        self._now = now
        self._writes = LastWrites()

    async def join(self, user: str, key: str, label: str, how: str = "") -> KeyRecord:
        """Move the safe of a key into a person's model, at `["Preferences", "_joined", label]`, and give its record.

        All keys of the safe follow. `how` says how the person was there. Guesses at keys are for the caller to count.

        Raises `bad_field`, `bad_path`, `key_revoked`, `no_such_model` (nothing is stored under the key, which is the
        field then; or the person has no model), `already_exists` (it is somebody's, or the person has that label),
        `read_only` for a snapset, `BeingMoved` while somebody else joins it, and what the person's model refuses. Then
        nothing is left of the attempt.
        """
        place = place_of(label)
        if is_llums_own(check_token(user, "user")):
            raise Refusal(Code.BAD_FIELD, "ids with a _ in front are llum's own", "user")
        record = (await self._keys.find_anew(key)).check()
        if record.is_joined:
            raise _joined()
        wanted = JoinNote(record.user, key, user, place[-1], how, 0.0, new_id(), is_new=True)
        held = await self._go_on(wanted)
        if held is None:
            await self._check_safe(record)
            held = await self._notes.write(wanted)
        return await self._carry_out(held)

    async def settled(self, key: str, safe: str) -> KeyRecord | None:
        """After a safe has refused to change: tell where its key leads by now. None: the safe is a snapset.

        Raises `BeingMoved` while somebody joins it: the sender comes again in a moment.
        """
        if await self._notes.is_there(safe):
            raise BeingMoved
        newer = await self._keys.find_anew(key)
        return newer if newer.user != safe else None

    async def take_up(self) -> int:
        """Go on with what somebody has broken off, and give the number. What cannot be any more is undone.

        What one note raises is logged: it keeps nobody from the others, and the next who sweeps finds it again.
        """
        left = [held for held in await self._notes.list() if self._notes.is_left(held.note)]
        for held in left:
            try:
                await self._notes.hold(held)
                await (self._undo(held) if held.note.is_undone else self._carry_out(held))
            except Refusal as refusal:
                log.info("join_refused", safe=held.note.safe, error=str(refusal))
            except LlumError as error:
                log.warning("join_waits", safe=held.note.safe, error=str(error))
        return len(left)

    async def forget_user(self, user: str) -> int:
        """Have notes name a person no more, and give the number: whoever sweeps undoes these joins."""
        of_user = [held for held in await self._notes.list() if held.note.user == user]
        for held in of_user:
            with contextlib.suppress(BeingMoved):
                # It is counted, so whoever forgets looks once more.
                await self._notes.name_nobody(held)
        return len(of_user)

    async def _go_on(self, wanted: JoinNote) -> HeldNote | None:
        """Hold the note of the same join, begun before. Raises `BeingMoved` if the safe has another one."""
        held = await self._notes.find(wanted.safe)
        if held is None:
            return None
        begun = held.note
        if begun.is_undone or (begun.user, begun.label, begun.key) != (wanted.user, wanted.label, wanted.key):
            raise BeingMoved
        await self._notes.hold(held)
        return held

    async def _carry_out(self, held: HeldNote) -> KeyRecord:
        """Do all steps that are not done. Raises `Refusal` if it cannot be: all is undone then."""
        if held.note.is_new:
            await self._check_new(held)
        try:
            return await self._move(held)
        except Refusal as refusal:
            await self._undo(held)
            raise _not_joined(refusal) from refusal

    async def _move(self, held: HeldNote) -> KeyRecord:
        note = held.note
        place = place_of(note.label)
        keys = await self._keys_of(note)
        for key in keys:
            await self._let_in(note, key, place)
        await self._notes.hold(held)
        await self._set_type(note, "snapset")
        await self._copy(note, place)
        # Whoever has found meanwhile that it cannot be has the note, and lets the safe take what it is told.
        await self._notes.hold(held)
        for key in keys:
            await self._keys.lead(key, note.user, place, await self._keys.key_app(key))
        await self._end_safe(note.safe)
        await self._notes.drop(held)
        return await self._keys.find_anew(note.key)

    async def _undo(self, held: HeldNote) -> None:
        """Have all be as it was. The note says so before: broken off here, it is undone by whoever sweeps."""
        await self._notes.hold(held, msgspec.structs.replace(held.note, is_undone=True))
        note = held.note
        if (await self._keys.find_anew(note.key)).user != note.safe:
            # It was done, for somebody who was forgotten then.
            await self._end_safe(note.safe)
        else:
            if note.user:
                await self._take_back(note)
            for kind in _UNDOING:
                await self._unless_gone(self._set_type(note, kind))
        await self._notes.drop(held)

    async def _take_back(self, note: JoinNote) -> None:
        """Take from the person's model what the join has brought there: the rights of the keys, and the copy."""
        model = self._as(note.user, OWNER_APP)
        for key in await self._keys_of(note):
            app = await self._keys.key_app(key)
            await self._unless_gone(model.send(_consent(note, app, "revoked")))
        delete = DeleteContext(id=_id_of(note, "delete"), context=list(place_of(note.label)))
        await self._unless_gone(model.send(delete))

    async def _unless_gone(self, doing: Awaitable[object]) -> None:
        try:
            await doing
        except Refusal as refusal:
            if refusal.code not in _GONE:
                raise

    async def _check_new(self, held: HeldNote) -> None:
        """Check what others may have done before the note was there. From then on, what is at the place is the join's.

        Raises `Refusal`; then there is no note, and nothing to be undone.
        """
        try:
            if (await self._keys.find_anew(held.note.key)).user != held.note.safe:
                raise _joined()
            await self._check_place(held.note)
        except Refusal:
            await self._notes.drop(held)
            raise
        await self._notes.hold(held, msgspec.structs.replace(held.note, is_new=False))

    async def _check_safe(self, record: KeyRecord) -> None:
        try:
            safe = await self._as(record.user, PREFERENCES_APP).find(Preferences(), PreferencesReply)
        except Refusal as refusal:
            raise _nothing_there() if refusal.code is Code.NO_SUCH_MODEL else refusal from None
        if safe.type == "user":
            return
        # One that is being joined looks the same.
        raise _snapset() if await self.settled(record.key, record.user) is None else _joined()

    async def _check_place(self, note: JoinNote) -> None:
        """Check that nothing is at the place, and nobody joins another safe to it."""
        user, place = note.user, place_of(note.label)
        if await self._is_there(user, place) or any(one.place == place for one in await self._keys.of_user(user)):
            raise _taken(note.label)
        others = [held.note for held in await self._notes.list() if held.note.safe != note.safe]
        if any((other.user, other.label) == (user, note.label) for other in others):
            raise _taken(note.label)

    async def _is_there(self, user: str, place: tuple[str, ...]) -> bool:
        try:
            await self._as(user, OWNER_APP).ask(GetContext(context=list(place)))
        except Refusal as refusal:
            if refusal.code is Code.NO_SUCH_CONTEXT:
                return False
            raise
        return True

    async def _keys_of(self, note: JoinNote) -> list[str]:
        """Name all keys of the safe: those with records, and the one that it was made for."""
        keys = {note.key, *(one.key for one in await self._keys.of_user(note.safe))}
        try:
            reply = await self._as(note.safe, PREFERENCES_APP).find(Ask(context=[SAFE_CONTEXT], view=["key"]), AskReply)
        except Refusal as refusal:
            if refusal.code not in (Code.NO_SUCH_COMPONENT, *_GONE):
                raise
            return sorted(keys)
        first = reply.components[0].value if reply.components else None
        if isinstance(first, str) and is_key(first) and await self._keys.safe_user(first) == note.safe:
            keys.add(first)
        return sorted(keys)

    async def _let_in(self, note: JoinNote, key: str, place: tuple[str, ...]) -> None:
        """Give the key's app its rights. The id of the command is that of the join: what was revoked since stays so."""
        app = await self._keys.key_app(key)
        granted = Slice(paths=[format_path(place)], actions=["ask", "tell", "make"])
        await self._as(note.user, OWNER_APP).send(_consent(note, app, "allowed", [granted]))

    async def _set_type(self, note: JoinNote, kind: SafeType) -> None:
        evidence = NewEvidence(value=kind)
        command = Tell(id=_id_of(note, kind), context=[SAFE_CONTEXT], component="type", evidence=evidence)
        await self._as(note.safe, PREFERENCES_APP).send(command)

    async def _copy(self, note: JoinNote, place: tuple[str, ...]) -> None:
        contexts = await self._exported(note, place)
        await send_parts(self._as(note.user, OWNER_APP), lambda: _commands(contexts, f"{note.safe} {note.attempt}"))

    async def _exported(self, note: JoinNote, place: tuple[str, ...]) -> list[ImportedContext]:
        """Give what the safe holds as it is to be in the person's model, with its ontologies in their order."""
        safe = self._as(note.safe, PREFERENCES_APP)
        order = {view: at for at, view in enumerate((await safe.find(Preferences(), PreferencesReply)).sets)}
        found = [_moved(one, place, note) async for one in _contexts(safe)]
        around = [ImportedContext(path=list(place[:depth])) for depth in range(1, len(place) + (not found))]
        return around + sorted(found, key=lambda one: order.get("".join(one.path[len(place) :][:1]), -1))

    async def _end_safe(self, safe: str) -> None:
        await TemporaryUsers(self._bus).keep_until(safe, self._now() + FORGOTTEN_AFTER_S)

    def _as(self, user: str, app: str) -> AsApp:
        return AsApp(self._requests, user, app, self._writes)


def place_of(label: str) -> tuple[str, ...]:
    """Give where a joined safe is in a person's model. Raises `bad_path`, `bad_field`."""
    label = check_segment(label, "label")
    if label.startswith("_"):
        raise Refusal(Code.BAD_FIELD, "a label has no _ in front", "label")
    return (*PREFERENCES_PLACE, JOINED, label)


async def _contexts(safe: AsApp) -> AsyncIterator[ImportedContext]:
    """Give the contexts of a safe's preferences, parents first, with paths from its place."""
    query = Export(context=list(PREFERENCES_PLACE))
    while True:
        try:
            page = await safe.find(query, ExportReply)
        except Refusal as refusal:
            if refusal.code is Code.NO_SUCH_CONTEXT:
                return
            raise
        for context in page.contexts:
            yield context
        if page.next is None:
            return
        query = msgspec.structs.replace(query, after=page.next)


def _moved(context: ImportedContext, place: tuple[str, ...], note: JoinNote) -> ImportedContext:
    """Give a context as it is in the person's model: nothing names the safe any more, and no app has rights in it."""
    components = [
        msgspec.structs.replace(
            one,
            permissions={},
            evidence=[
                msgspec.structs.replace(piece, owner=note.user) if piece.owner == note.safe else piece
                for piece in one.evidence
            ],
        )
        for one in context.components
    ]
    return msgspec.structs.replace(context, path=[*place, *context.path], permissions={}, components=components)


def _commands(contexts: list[ImportedContext], salt: str) -> Iterator[Import]:
    return import_commands(_pieces(contexts), [], salt)


def _pieces(contexts: list[ImportedContext]) -> Iterator[Piece]:
    for context in contexts:
        head = msgspec.structs.replace(context, components=[], views=[])
        yield Piece(head)
        for component in context.components:
            item = msgspec.structs.replace(component, evidence=[], rules=[])
            yield Piece(head, item)
            for piece in component.evidence:
                yield Piece(head, item, piece)


def _id_of(note: JoinNote, *what: str) -> str:
    """Give the id of a command of a join: whoever does the same step again repeats it."""
    parts = [note.safe, note.attempt, *what]
    return f"join-{hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:40]}"


def _consent(note: JoinNote, app: str, decision: ConsentVerdict, granted: Sequence[Slice] = ()) -> Consent:
    return Consent(
        id=_id_of(note, app, decision),
        app=app,
        decision=decision,
        granted=list(granted),
        name=f"Key of preferences: {note.label}",
        purpose="Programs to which you give this key read and set these preferences.",
        how=note.how,
    )


def _not_joined(refusal: Refusal) -> Refusal:
    """Say what has come of a join that was refused on the way: a hint of how to go on with it would be wrong."""
    return Refusal(refusal.code, refusal.message, None, "nothing was joined: the key opens what it opened before")


def _nothing_there() -> Refusal:
    hint = "compare it with what you were given: capitals and spaces matter"
    return Refusal(Code.NO_SUCH_MODEL, "nothing is stored under this key", "gpiiKey", hint)


def _snapset() -> Refusal:
    hint = "set what you like of them in your own preferences, or put them under a key of your own and join that"
    return Refusal(Code.READ_ONLY, "these preferences are a snapset: nobody takes them for themselves", "gpiiKey", hint)


def _joined() -> Refusal:
    hint = "whoever has joined it can revoke it, on the page of their apps"
    return Refusal(Code.ALREADY_EXISTS, "the key is joined to somebody's preferences", "gpiiKey", hint)


def _taken(label: str) -> Refusal:
    hint = "choose another label"
    return Refusal(Code.ALREADY_EXISTS, f"there are joined preferences of the label {label!r}", "label", hint)
