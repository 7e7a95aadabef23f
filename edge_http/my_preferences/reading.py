"""What the page about preferences shows, asked for as the person's own app: it may see all of it, and nobody else's."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

from aiohttp import web

from edge_http.apps.reading import client_of, granted, name_of, url_of_app
from edge_http.home.values import ShownValue
from edge_http.http.observe import TRACE
from edge_http.keys import AUTHENTICATOR
from edge_http.my_preferences.controls import Control, control_for
from edge_http.my_preferences.words import group_of, named, value_in_words
from edge_http.preferences.face import PREFERENCES
from edge_http.preferences.what_changed import leaves_of
from edge_http.sessions.own_model import own_model, zone_of
from identity.preferences.keys import JOINED, OWN_PLACE
from model.preferences.paths import path_of, segments_of
from schemas.app_names import app_name
from schemas.apps import OWNER_APP, PREFERENCES_APP
from schemas.errors import Code, Refusal
from schemas.evidence import Evidence
from schemas.paths import Path
from schemas.preferences import DEFAULT_SET, DEFAULT_VIEW, UNSET_FLAG, PreferencesReply
from schemas.queries import Ask, GetContext, Preferences
from schemas.replies import AskReply, ComponentAnswer, ContextReply

MY_PREFERENCES: Final = "/my-preferences"

SETTINGS: Final = 100
"""Settings on one page."""


class SettingOfSafe(NamedTuple):
    """Which setting of which safe."""

    safe: str
    """The label of a joined safe; empty: the person's own preferences."""
    view: str
    set: str
    path: Path

    @property
    def term(self) -> str:
        """Write the path as a form carries it."""
        return path_of(self.path)

    @property
    def anchor(self) -> str:
        """Name the setting within its page."""
        return "p-" + hashlib.sha256("\0".join(self[:3] + self.path).encode()).hexdigest()[:12]


class Told(NamedTuple):
    """A value that a setting has or had, and who set it."""

    value: ShownValue
    who: str
    time: float
    is_unset: bool


class ShownSetting(NamedTuple):
    """A setting, ready for a template."""

    place: SettingOfSafe
    title: str
    description: str
    value: ShownValue
    control: Control
    is_local: bool
    is_known: bool
    set_by: Told | None
    before: Told | None
    error: str = ""
    """What is wrong with what was typed."""


class Group(NamedTuple):
    """Settings that stand together."""

    heading: str
    settings: list[ShownSetting]


class JoinedSafe(NamedTuple):
    """A safe that is a part of one's preferences."""

    label: str
    url: str
    app_url: str
    """The page of the app that is its key; empty: the key is not known any more."""
    revoked: bool


class SafeView(NamedTuple):
    """A page of a safe."""

    safe: str
    groups: list[Group]
    total: int
    number: int
    pages: int
    zone: str
    is_read_only: bool
    joined: list[JoinedSafe]
    addable: list[tuple[str, str]]
    """What may be added: terms and titles."""
    adding: ShownSetting | None


def place_of(safe: str) -> Path:
    """Give the place of a joined safe, or of the person's own preferences."""
    return (*OWN_PLACE, JOINED, safe) if safe else OWN_PLACE


def url_of_safe(safe: str, **more: str) -> str:
    """Give the address of the page of a safe."""
    path = f"{MY_PREFERENCES}/joined/{quote(safe, safe='')}" if safe else MY_PREFERENCES
    return f"{path}?{urlencode(more)}" if more else path


async def read_safe(
    request: web.Request, user: str, safe: str, number: int = 1, adding: str = "", wrong: ShownSetting | None = None
) -> SafeView:
    """Read a page of a safe. Raises `no_such_context` if nothing of that label is joined, `no_such_model`, `Transient`.

    `wrong` is shown in place of the setting that it is, with what was typed.
    """
    reply = await _asked(request, user, safe)
    leaves = [(SettingOfSafe(safe, *key), value) for key, value in leaves_of(reply.sets)]
    there = {place for place, _ in leaves}
    pages = max(1, -(-len(leaves) // SETTINGS))
    number = min(max(1, number), pages)
    settings = await _settings(request, user, leaves[(number - 1) * SETTINGS : number * SETTINGS])
    if wrong is not None:
        settings = [wrong if one.place == wrong.place else one for one in settings]
    return SafeView(
        safe=safe,
        groups=list(_grouped(request, settings)),
        total=len(leaves),
        number=number,
        pages=pages,
        zone=await zone_of(request, user),
        is_read_only=reply.type == "snapset",
        joined=[] if safe else await joined_safes(request, user),
        addable=_addable(request, there),
        adding=wrong if wrong is not None and wrong.place not in there else _new(request, safe, adding, there),
    )


async def _asked(request: web.Request, user: str, safe: str) -> PreferencesReply:
    """Ask for what a safe holds; one that holds nothing yet is there all the same. Raises `no_such_context`."""
    model, place = own_model(request, user), list(place_of(safe))
    reply = await model.find(Preferences(context=place), PreferencesReply)
    if safe and not reply.sets:
        await model.find(GetContext(context=place), ContextReply)
    return reply


async def joined_safes(request: web.Request, user: str) -> list[JoinedSafe]:
    """List the safes that a person has joined, by label. Raises `Transient`."""
    try:
        context = GetContext(context=[*OWN_PLACE, JOINED])
        labels = (await own_model(request, user).find(context, ContextReply)).contexts
    except Refusal as refusal:
        if refusal.code not in (Code.NO_SUCH_CONTEXT, Code.NO_SUCH_MODEL):
            raise
        return []
    keys = await request[TRACE].edge[AUTHENTICATOR].preference_keys.of_user(user)
    of_label = {one.place[-1]: one for one in keys if one.place[:-1] == (*OWN_PLACE, JOINED)}
    return [_joined(label, of_label.get(label)) for label in sorted(labels)]


def _joined(label: str, key: Any) -> JoinedSafe:
    if key is None:
        return JoinedSafe(label, url_of_safe(label), "", revoked=True)
    return JoinedSafe(label, url_of_safe(label), url_of_app(key.app), key.revoked)


async def find_setting(request: web.Request, user: str, place: SettingOfSafe) -> ShownSetting:
    """Read one setting, be it there or not. Raises `Transient`."""
    reply = await _asked(request, user, place.safe)
    values = {SettingOfSafe(place.safe, *key): value for key, value in leaves_of(reply.sets)}
    return _shown(request, place, values.get(place), None, {})


async def _settings(request: web.Request, user: str, leaves: Sequence[tuple[SettingOfSafe, Any]]) -> list[ShownSetting]:
    if not leaves:
        return []
    paths = [(*place_of(one.safe), one.view, one.set, *one.path) for one, _ in leaves]
    query = Ask(view=list(map(list, paths)), explain=True)
    reply = await own_model(request, user).find(query, AskReply)
    answers = {tuple(one.path): one for one in reply.components}
    names = await _names(request, user, answers.values())
    return [
        _shown(request, place, value, answers.get(path), names)
        for (place, value), path in zip(leaves, paths, strict=True)
    ]


def _shown(
    request: web.Request, place: SettingOfSafe, value: Any, answer: ComponentAnswer | None, names: Mapping[str, str]
) -> ShownSetting:
    term = named(request[TRACE].edge[PREFERENCES].installed.codex, place.view, place.path)

    def told(piece: Evidence | None) -> Told | None:
        if piece is None:
            return None
        shown = value_in_words(piece.value, term)
        return Told(shown, names.get(piece.source, piece.source), piece.held_from, UNSET_FLAG in piece.flags)

    used, before = _pieces(answer)
    return ShownSetting(
        place,
        term.title,
        term.description,
        value_in_words(value, term),
        control_for(term.schema, value),
        term.is_local,
        term.is_known,
        told(used),
        told(before),
    )


def _pieces(answer: ComponentAnswer | None) -> tuple[Evidence | None, Evidence | None]:
    """Give what counts, and what counted before it."""
    if answer is None or answer.explanation is None:
        return None, None
    used = next(iter(answer.explanation.used), None)
    older = [one for reason in answer.explanation.left_out if reason.reason == "older" for one in reason.examples]
    return used, max(older, key=lambda one: (one.seq, one.n), default=None)


async def _names(request: web.Request, user: str, answers: Iterable[ComponentAnswer]) -> dict[str, str]:
    """Name the apps that have set something, as people know them."""
    apps = {piece.source for answer in answers for piece in _pieces(answer) if piece is not None}
    names = {app: app_name(app) for app in apps} | {OWNER_APP: "you", PREFERENCES_APP: "whoever has the key"}
    for one in await granted(request, user) if apps - {OWNER_APP, PREFERENCES_APP} else ():
        if one.app in apps:
            names[one.app] = name_of(one, await client_of(request, one.app))
    return names


def _grouped(request: web.Request, settings: Sequence[ShownSetting]) -> Iterator[Group]:
    """Put settings together under headings, in their order."""
    codex = request[TRACE].edge[PREFERENCES].installed.codex
    groups: dict[tuple[str, str, str], list[ShownSetting]] = {}
    for one in settings:
        key = (group_of(codex, one.place.view, one.place.path), one.place.set, one.place.view)
        groups.setdefault(key, []).append(one)
    for (heading, name, view), some in groups.items():
        notes = [name] if name != DEFAULT_SET else []
        notes += [view] if view != DEFAULT_VIEW else []
        yield Group(f"{heading} ({', '.join(notes)})" if notes else heading, some)


def _addable(request: web.Request, there: set[SettingOfSafe]) -> list[tuple[str, str]]:
    """List the common settings that are not there yet: their terms and titles, by title."""
    terms = request[TRACE].edge[PREFERENCES].installed.codex.terms.get(DEFAULT_VIEW, {})
    known = {path for _, view, name, path in there if (view, name) == (DEFAULT_VIEW, DEFAULT_SET)}
    new = [(term.title, path) for path, term in terms.items() if path not in known]
    return [(path_of(path), title) for title, path in sorted(new) if control_for(terms[path].schema).kind != "json"]


def _new(request: web.Request, safe: str, term: str, there: set[SettingOfSafe]) -> ShownSetting | None:
    """Give a setting that is to be added; None: it is there, or nobody knows it."""
    place = SettingOfSafe(safe, DEFAULT_VIEW, DEFAULT_SET, segments_of(term))
    if not term or place in there:
        return None
    terms = request[TRACE].edge[PREFERENCES].installed.codex.terms.get(DEFAULT_VIEW, {})
    known = terms.get(place.path)
    return None if known is None else _shown(request, place, known.schema.get("default"), None, {})
