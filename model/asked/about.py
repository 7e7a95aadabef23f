"""What a query is about, and under which right it is answered: under which heading the record counts it."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from model.permissions import KnownGrants, grant_at, grant_of, grantee_of
from model.sight import placed
from model.state import Model
from schemas.asked import AskedRow, PlaceKind
from schemas.limits import MAX_PATH_SEGMENTS, MAX_SEGMENT_CHARACTERS
from schemas.paths import Path
from schemas.queries import Access, Ask, AskForRule, Ping, Query, RuleMayTell
from schemas.verbs import verb_of

UNCOUNTED = (Access, RuleMayTell, Ping)
"""Queries that tell nothing of a person: the edges ask them to learn whether an app may come in."""


class Heading(NamedTuple):
    """What rows of the record are told apart by."""

    app: str
    verb: str
    path: Path
    kind: PlaceKind
    grant: str = ""
    code: str | None = None
    rule_of: str | None = None
    by: str | None = None
    place: str | None = None


def heading_of(row: AskedRow) -> Heading:
    return Heading(row.app, row.verb, tuple(row.path), row.kind, row.grant, row.code, row.rule_of, row.by, row.place)


def row_of(heading: Heading, count: int, first: float, last: float) -> AskedRow:
    return AskedRow(
        app=heading.app,
        verb=heading.verb,
        path=list(heading.path),
        kind=heading.kind,
        grant=heading.grant,
        code=heading.code,
        rule_of=heading.rule_of,
        by=heading.by,
        place=heading.place,
        count=count,
        first=first,
        last=last,
    )


def added_up(rows: Iterable[AskedRow]) -> list[AskedRow]:
    """Add up what differs in nothing but its time, the latest first."""
    sums: dict[Heading, AskedRow] = {}
    for row in rows:
        heading = heading_of(row)
        known = sums.get(heading)
        if known is not None:
            row = row_of(heading, known.count + row.count, min(known.first, row.first), max(known.last, row.last))
        sums[heading] = row
    return sorted(sums.values(), key=lambda row: (-row.last, row.app, row.path))


def headings_of(
    model: Model, app: str, query: Query, now: float, known: KnownGrants | None = None, rule_of: str | None = None
) -> tuple[Heading, ...]:
    """Say what an app asks about: the components that it lists, or a context, a view, or the model as a whole.

    `now` is seconds since 1970. `rule_of`: llum asks for a rule that the app has in this person's model.
    """
    if isinstance(query, UNCOUNTED):
        return ()
    grantee = app
    if type(query) is AskForRule:
        rule_of, grantee, query = query.whose_rules, grantee_of(app, query.whose_rules), query.query
    return tuple(
        Heading(
            app, verb_of(query), _clipped(path), kind, _grant(model, grantee, path, kind, now, known), None, rule_of
        )
        for path, kind in _places(query)
    )


def _places(query: Any) -> list[tuple[Path, PlaceKind]]:
    query = getattr(query, "command", query)  # of what would follow if a command were sent
    context = getattr(query, "context", None)
    if context is None:
        return [((), "model")]
    path = tuple(context)
    if type(query) is Ask:
        if isinstance(query.view, list):
            return [((*at, name), "component") for at, name in (placed(path, one) for one in query.view)]
        return [(path, "context")] if query.view is None else [((*path, query.view), "view")]
    component = getattr(query, "component", None)
    return [(path, "context")] if component is None else [((*path, component), "component")]


def _grant(model: Model, grantee: str, path: Path, kind: PlaceKind, now: float, known: KnownGrants | None) -> str:
    if kind == "component":
        return grant_at(model, grantee, path[:-1], path[-1], now, known).source
    return grant_of(model, grantee, path[:-1] if kind == "view" else path, now, known).source


def _clipped(path: Path) -> Path:
    """Bound what a refused ask may name: whatever is longer names nothing."""
    if len(path) > MAX_PATH_SEGMENTS or any(len(segment) > MAX_SEGMENT_CHARACTERS for segment in path):
        return tuple(segment[:MAX_SEGMENT_CHARACTERS] for segment in path[:MAX_PATH_SEGMENTS])
    return path
