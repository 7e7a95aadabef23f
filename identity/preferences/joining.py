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
"""

import hashlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final

import msgspec

from bus.as_app import AsApp, LastWrites, Sending, new_id
from bus.importing import send_parts
from identity.preferences.keys import JOINED, KeyRecord, PreferenceKeys, is_key
from identity.temporary.users import TemporaryUsers
from model.formats.parcels import Piece, import_commands
from schemas.apps import OWNER_APP, PREFERENCES_APP, is_llums_own
from schemas.commands import Import, Tell
from schemas.definitions import ImportedContext
from schemas.errors import Code, Refusal, Transient
from schemas.evidence import NewEvidence
from schemas.grants import Consent
from schemas.paths import check_segment, check_token, format_path
from schemas.preferences import PREFERENCES_PLACE, SAFE_CONTEXT, PreferencesReply, SafeType
from schemas.queries import Ask, Export, Preferences
from schemas.replies import AskReply, ExportReply
from schemas.slices import Slice

FORGOTTEN_AFTER_S: Final = 60.0
"""Seconds for which the copied safe still refuses: longer than any edge may hold what it knew of a key."""

TAKEN_UP_AFTER_S: Final = 30.0
"""Seconds after which a note is one of somebody who broke off."""


class _Note(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who joins a safe."""

    safe: str
    key: str
    user: str
    label: str
    how: str
    since: float


_decoder: Final = msgspec.json.Decoder(_Note)


class KeyJoining:
    """Joins safes to models. All methods raise `Transient`, `ApiError`."""

    def __init__(self, keys: PreferenceKeys, requests: Sending, now: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._bus = keys.bus
        self._bucket = keys.store.bucket
        self._requests = requests
        self._now = now
        self._writes = LastWrites()

    async def join(self, user: str, key: str, label: str, how: str = "") -> KeyRecord:
        """Move the safe of a key into a person's model, at `["Preferences", "_joined", label]`, and give its record.

        All keys of the safe follow. `how` says how the person was there. Guesses at keys are for the caller to count.

        Raises `bad_field`, `bad_path`, `key_revoked`, `no_such_model` (nothing is stored under the key),
        `already_exists` (it is somebody's, or the person has that label), `read_only` for a snapset.
        """
        place = place_of(label)
        if is_llums_own(check_token(user, "user")):
            raise Refusal(Code.BAD_FIELD, "ids with a _ in front are llum's own", "user")
        record = (await self._keys.find_anew(key)).check()
        if record.is_joined:
            raise _joined()
        note = _Note(record.user, key, user, place[-1], how, self._now())
        if not await self._is_noted(note):
            await self._check_safe(record)
            await self._check_place(user, place)
            await self._write(note)
        return await self._carry_out(note)

    async def settled(self, key: str, safe: str) -> KeyRecord | None:
        """After a safe has refused to change: tell where its key leads by now. None: the safe is a snapset.

        Raises `unavailable` while somebody joins it: the sender comes again in a moment.
        """
        if await self._bucket.find_at_leader(_name(safe)) is not None:
            raise Transient(Code.UNAVAILABLE, "the preferences are being moved to a person's model", "come again soon")
        newer = await self._keys.find_anew(key)
        return newer if newer.user != safe else None

    async def take_up(self) -> int:
        """Go on with what somebody has broken off, and give the number. What cannot be any more is undone."""
        found = 0
        for entry in await self._bucket.list("joining.*"):
            note = _decoder.decode(entry.value)
            if self._now() - note.since >= TAKEN_UP_AFTER_S:
                found += 1
                await self._take_up(note)
        return found

    async def forget_user(self, user: str) -> int:
        """Have notes name a person no more, and give the number: whoever sweeps finds that these joins cannot be."""
        entries = await self._bucket.list("joining.*")
        of_user = [one for one in entries if _decoder.decode(one.value).user == user]
        for entry in of_user:
            nobodys = msgspec.structs.replace(_decoder.decode(entry.value), user="", label="", how="", since=0.0)
            await self._bucket.replace(entry, msgspec.json.encode(nobodys))
        return len(of_user)

    async def _take_up(self, note: _Note) -> None:
        try:
            await self._carry_out(note)
        except Refusal:
            # The person is gone, say.
            if (await self._keys.find_anew(note.key)).user == note.safe:
                await self._set_type(note.safe, "user")
            else:
                await self._end_safe(note.safe)
            await self._bucket.delete(_name(note.safe))

    async def _carry_out(self, note: _Note) -> KeyRecord:
        place = place_of(note.label)
        keys = await self._keys_of(note)
        for key in keys:
            await self._let_in(note, key, place)
        await self._set_type(note.safe, "snapset")
        await self._copy(note, place)
        for key in keys:
            await self._keys.lead(key, note.user, place, await self._keys.key_app(key))
        await self._end_safe(note.safe)
        await self._bucket.delete(_name(note.safe))
        return await self._keys.find_anew(note.key)

    async def _is_noted(self, note: _Note) -> bool:
        """Tell whether the same was begun before."""
        entry = await self._bucket.find_at_leader(_name(note.safe))
        begun = None if entry is None else _decoder.decode(entry.value)
        return begun is not None and (begun.user, begun.label, begun.key) == (note.user, note.label, note.key)

    async def _write(self, note: _Note) -> None:
        """Write the note. Raises `already_exists` if somebody else joins the safe, or another safe to the place."""
        if await self._bucket.claim(_name(note.safe), msgspec.json.encode(note)) is None:
            raise _joined()
        for entry in await self._bucket.list("joining.*"):
            other = _decoder.decode(entry.value)
            if other.safe != note.safe and (other.user, other.label) == (note.user, note.label):
                await self._bucket.delete(_name(note.safe))
                raise _taken(note.label)

    async def _check_safe(self, record: KeyRecord) -> None:
        safe = await self._as(record.user, PREFERENCES_APP).find(Preferences(), PreferencesReply)
        if safe.type != "user":
            raise Refusal(
                Code.READ_ONLY, "these preferences are a snapset: nobody takes them for themselves", "gpiiKey"
            )

    async def _check_place(self, user: str, place: tuple[str, ...]) -> None:
        there = await self._as(user, OWNER_APP).find(Preferences(context=list(place)), PreferencesReply)
        if there.sets or any(one.place == place for one in await self._keys.of_user(user)):
            raise _taken(place[-1])

    async def _keys_of(self, note: _Note) -> list[str]:
        """Name all keys of the safe: those with records, and the one that it was made for."""
        keys = {note.key, *(one.key for one in await self._keys.of_user(note.safe))}
        try:
            reply = await self._as(note.safe, PREFERENCES_APP).find(Ask(context=[SAFE_CONTEXT], view=["key"]), AskReply)
        except Refusal as refusal:
            if refusal.code not in (Code.NO_SUCH_COMPONENT, Code.NO_SUCH_CONTEXT):
                raise
            return sorted(keys)
        first = reply.components[0].value if reply.components else None
        if isinstance(first, str) and is_key(first) and await self._keys.safe_user(first) == note.safe:
            keys.add(first)
        return sorted(keys)

    async def _let_in(self, note: _Note, key: str, place: tuple[str, ...]) -> None:
        """Give the key's app its rights. The id of the command is that of the joining: what was revoked stays so."""
        app = await self._keys.key_app(key)
        digest = hashlib.sha256(msgspec.json.encode([note.safe, note.user, note.label, app])).hexdigest()
        consent = Consent(
            id=f"join-{digest[:40]}",
            app=app,
            decision="allowed",
            granted=[Slice(paths=[format_path(place)], actions=["ask", "tell", "make"])],
            name=f"Key of preferences: {note.label}",
            purpose="Programs to which you give this key read and set these preferences.",
            how=note.how,
        )
        await self._as(note.user, OWNER_APP).send(consent)

    async def _set_type(self, safe: str, kind: SafeType) -> None:
        command = Tell(id=new_id(), context=[SAFE_CONTEXT], component="type", evidence=NewEvidence(value=kind))
        await self._as(safe, PREFERENCES_APP).send(command)

    async def _copy(self, note: _Note, place: tuple[str, ...]) -> None:
        contexts = await self._exported(note, place)
        await send_parts(self._as(note.user, OWNER_APP), lambda: _commands(contexts, note.safe))

    async def _exported(self, note: _Note, place: tuple[str, ...]) -> list[ImportedContext]:
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


def _moved(context: ImportedContext, place: tuple[str, ...], note: _Note) -> ImportedContext:
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


def _name(safe: str) -> str:
    return f"joining.{safe}"


def _joined() -> Refusal:
    hint = "whoever has joined it can revoke it, on the page of their apps"
    return Refusal(Code.ALREADY_EXISTS, "the key is joined to somebody's preferences", "gpiiKey", hint)


def _taken(label: str) -> Refusal:
    hint = "choose another label"
    return Refusal(Code.ALREADY_EXISTS, f"there are joined preferences of the label {label!r}", "label", hint)
