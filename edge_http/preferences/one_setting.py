"""One setting: its history, and why it has its value. It is a component, so both are asks of that."""

import datetime
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from aiohttp import web

from edge_http.preferences.answers import answered
from edge_http.preferences.asked import key_of, moment_of, query_of, view_of
from edge_http.preferences.face import PREFERENCES
from edge_http.preferences.reached import ReachedPlace, reach
from model.preferences.paths import leaves_in, path_of, segments_of, tree_with
from schemas.app_names import app_name
from schemas.errors import Code, Error, Refusal, raised_from
from schemas.evidence import Evidence
from schemas.preferences import DEFAULT_SET, UNSET_FLAG
from schemas.queries import Ask
from schemas.replies import AskReply, ComponentAnswer

_TERM_HINT: Final = "name a term, such as http://registry.gpii.net/common/fontSize, or a path such as display.fontSize"
_OBJECT_HINT: Final = "of an object each member is a setting of its own: name one by a path"

_CURSOR: Final = re.compile(r"(\d{1,18})\.(\d{1,9})\.(\d{1,18})", re.ASCII)
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\\]*")

_NOT_THERE: Final = frozenset({Code.NO_SUCH_CONTEXT, Code.NO_SUCH_COMPONENT})

TermPath = tuple[str, ...]


class AskedSetting(NamedTuple):
    """Where a setting is."""

    view: str
    set_id: str
    path: TermPath


class FoundSetting(NamedTuple):
    """A setting, and what was answered about it."""

    place: AskedSetting
    answer: ComponentAnswer
    seq: int


async def history(request: web.Request) -> web.Response:
    """`GET /preferences/:key/history?term&view&set&after`: who set it, when, and what it was before; oldest first."""
    reached = await reach(request, key_of(request))
    query = query_of(request)
    after, as_of = _cursor_in(query)
    ask = Ask(include_evidence=True, evidence_after=after, as_of_seq=as_of)
    found = await _found(reached, query, ask)
    pieces = found.answer.evidence or []
    shown = list(_told(pieces))
    value = _described(reached, found) | {"history": shown if after is None else shown[1:]}
    if found.answer.evidence_more:
        # The next page begins with the last one of this page: what came after it was different before.
        last = pieces[-2] if len(pieces) > 1 else pieces[-1]
        value["next"] = f"{last.seq}.{last.n}.{as_of or found.seq}"
    return answered(value)


async def explain(request: web.Request) -> web.Response:
    """`GET /preferences/:key/explain?term&view&set&at`: why it has its value."""
    reached = await reach(request, key_of(request))
    query = query_of(request)
    found = await _found(reached, query, Ask(explain=True, as_of_time=moment_of(query)))
    why = {"value": found.answer.value, "explanation": found.answer.explanation}
    return answered(_described(reached, found) | why)


def _described(reached: ReachedPlace, found: FoundSetting) -> dict[str, Any]:
    place = found.place
    return {"gpiiKey": reached.key, "view": place.view, "set": place.set_id, "term": path_of(place.path)}


async def _found(reached: ReachedPlace, query: Mapping[str, str], ask: Ask) -> FoundSetting:
    """Ask about a setting where it is kept: in the view that is named, or else in another one that says the same.

    Raises `bad_field`, `no_such_component`, `permission_denied`, and what the ask raises.
    """
    asked = _setting_in(query)
    found = await _looked_up(reached, asked, ask)
    for place in _elsewhere(reached, asked) if isinstance(found, Error) else ():
        elsewhere = await _looked_up(reached, place, ask)
        if isinstance(elsewhere, FoundSetting):
            return elsewhere
    if isinstance(found, FoundSetting):
        return found
    if found.code is Code.PERMISSION_DENIED:
        raise raised_from(found)
    raise Refusal(Code.NO_SUCH_COMPONENT, "there is no such setting", "term", _OBJECT_HINT)


async def _looked_up(reached: ReachedPlace, place: AskedSetting, ask: Ask) -> FoundSetting | Error:
    context = [*reached.place, place.view, place.set_id, *place.path[:-1]]
    ask.context, ask.view = context, [place.path[-1]]
    try:
        reply = await reached.as_app.find(ask, AskReply)
    except Refusal as refusal:
        if refusal.code in _NOT_THERE:
            return refusal.error
        if refusal.code is Code.BAD_PATH:
            raise Refusal(refusal.code, refusal.message, "term", refusal.hint) from refusal
        raise
    return reply.failures[0].error if reply.failures else FoundSetting(place, reply.components[0], reply.seq)


def _elsewhere(reached: ReachedPlace, asked: AskedSetting) -> Iterator[AskedSetting]:
    """Name the settings of other views that say the same."""
    body = {"contexts": {asked.set_id: {"preferences": tree_with(asked.path, 0)}}}
    equivalents = reached.edge[PREFERENCES].installed.ontologies.equivalents(body, asked.view)
    for view, sets in equivalents.items():
        for path, _ in leaves_in(sets.get(asked.set_id)):
            yield AskedSetting(view, asked.set_id, path)


def _setting_in(query: Mapping[str, str]) -> AskedSetting:
    """Read which setting is asked about: a name with `://` in it is one name, everything else a path."""
    term = query.get("term", "")
    path = (term,) if _URI.fullmatch(term) else tuple(segments_of(term))
    if not all(path) or not path:
        raise Refusal(Code.BAD_FIELD, "it is not said which setting", "term", _TERM_HINT)
    return AskedSetting(view_of(query), query.get("set") or DEFAULT_SET, path)


def _cursor_in(query: Mapping[str, str]) -> tuple[tuple[int, int] | None, int | None]:
    """Read where a page ended, and as of which command its history is."""
    given = query.get("after")
    if not given:
        return None, None
    match = _CURSOR.fullmatch(given)
    if match is None:
        raise Refusal(Code.BAD_FIELD, "this is not the `next` of a page", "after", "send it as it was given")
    return (int(match[1]), int(match[2])), int(match[3])


def _told(pieces: Any) -> Iterator[dict[str, Any]]:
    before: dict[str, Any] = {}
    for piece in pieces:
        value = {"unset": True} if UNSET_FLAG in piece.flags else {"value": piece.value}
        said = {"before": before["value"]} if "value" in before else {}
        yield {**value, **said, **_who(piece)}
        before = value


def _who(piece: Evidence) -> dict[str, Any]:
    told: dict[str, Any] = {
        "app": app_name(piece.source),
        "time": _written(piece.creation_time),
        "type": piece.evidence_type,
        "evidence": f"{piece.seq}.{piece.n}",
    }
    if piece.comment:
        told["comment"] = piece.comment
    if piece.correction:
        told["correction"] = True
    if piece.withdrawn is not None:
        told["withdrawn"] = True
    return told


def _written(time: float) -> str:
    moment = datetime.datetime.fromtimestamp(time, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
