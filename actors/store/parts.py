"""A part of a model in the shard: found in all that is kept of the past, counted, and deleted.

What goes is listed in a temporary table first. Commands that brought any of it keep their hash, so that a repeat is
recognised, and lose their ids; what was said of refused ones loses its words, where they may be about the part.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import msgspec

from actors.store import part_sql as sql
from model.changes import Part
from schemas.errors import Error
from schemas.grants import ConsentDecision
from schemas.parts import PartSize
from schemas.paths import format_path, split_path
from schemas.replies import Accepted, Outcome, Refused
from schemas.slices import Slice

_outcomes: Final = msgspec.json.Decoder(Outcome)
_decisions: Final = msgspec.json.Decoder(ConsentDecision)

FORGOTTEN: Final = "what was said of this command has been forgotten"
"""The message of an error of which only the code is left."""


class ForgottenPart(NamedTuple):
    """A part that a transaction deletes."""

    user_key: int
    user: str
    seq: int
    """Of the command that says so."""
    part: Part


def size_of(user_key: int, part: Part, connection: sqlite3.Connection) -> PartSize:
    """Count what there is of a part."""
    choose(connection, user_key, part)
    size = PartSize(
        evidence=_count(connection, sql.COUNT_GONE, {"derived": 0}),
        derived=_count(connection, sql.COUNT_GONE, {"derived": 1}),
        withdrawals=_count(connection, sql.COUNT_WITHDRAWALS_GONE),
    )
    if part.is_whole_component:
        for name, which in sql.OF_COMPONENT.items():
            setattr(size, name, _count(connection, sql.COUNT_ITEMS.format(which), _of_component(user_key, part)))
    connection.execute(sql.CLEAR_GONE)
    return size


def delete(forgotten: ForgottenPart, connection: sqlite3.Connection) -> None:
    """Delete a part, within the caller's transaction. The log is to be written anew after that."""
    user_key, user, seq, part = forgotten
    choose(connection, user_key, part)
    _choose_commands(connection, user_key, part)
    _reduce_commands(connection, user_key, part)
    connection.execute(sql.DELETE_FIRINGS, {"user": user})
    _note_withdrawals(connection, user_key)
    for statement in sql.DELETE_GONE:
        connection.execute(statement, {"key": user_key})
    if part.is_whole_component:
        _delete_component(connection, user_key, part)
    connection.execute(sql.DELETE_CHUNKS, (user,))
    connection.execute(sql.PUT_REWRITING, (user, seq, None))
    connection.execute(sql.CLEAR_GONE)


def choose(connection: sqlite3.Connection, user_key: int, part: Part) -> None:
    """List the pieces of a part in the temporary table `gone`, with what rules have derived from them."""
    for statement in sql.BEGIN_GONE:
        connection.execute(statement)
    where, values = _conditions(part)
    key = {} if part.path is None else {"path": format_path(part.path)}
    chosen = sql.CHOOSE_GONE_OF_COMPONENT if key else sql.CHOOSE_GONE
    found = connection.execute(chosen + where, {"key": user_key, **key, **values}).rowcount
    while found > 0:
        found = connection.execute(sql.CHOOSE_DERIVED, {"key": user_key}).rowcount


def _conditions(part: Part) -> tuple[str, dict[str, Any]]:
    """Write the conditions on evidence that a part sets, with their values."""
    values: dict[str, Any] = {}
    where = ""
    for name, condition in sql.CONDITIONS.items():
        value = getattr(part, name)
        if value is not None:
            where += f" AND {condition}"
            values[name] = round(value * 1e6) if name.startswith("accepted") else value
    return where, values


def _choose_commands(connection: sqlite3.Connection, user_key: int, part: Part) -> None:
    """List the commands that brought what goes, or withdrew it."""
    for statement in sql.CHOOSE_COMMANDS_GONE:
        connection.execute(statement)
    if part.is_whole_component:
        for which in sql.OF_COMPONENT.values():
            connection.execute(sql.CHOOSE_COMMANDS_OF_ITEMS.format(which), _of_component(user_key, part))


def _note_withdrawals(connection: sqlite3.Connection, user_key: int) -> None:
    """Have a cause be looked for from now on where one has gone: what a rule still tells of it is refused."""
    rows = connection.execute(sql.FIRING_COMPONENTS, {"key": user_key}).fetchall()
    changed = [(_with(body, withdrawals=True), user_key, "component", key, seq) for key, seq, body in rows]
    connection.executemany(sql.SET_ITEM_BODY, changed)
    if changed:
        connection.execute(sql.DROP_STRUCTURE, (user_key,))


def _reduce_commands(connection: sqlite3.Connection, user_key: int, part: Part) -> None:
    """Leave of the commands that brought the part, or speak of it, nothing that tells what they were."""
    reduced = [
        (text, seq)
        for seq, app, time_us, outcome, is_gone in connection.execute(sql.OUTCOMES, (user_key,)).fetchall()
        for text in _reduced(outcome, app, time_us, part, is_gone=bool(is_gone))
    ]
    connection.execute(sql.REDUCE_COMMANDS, (user_key,))
    connection.executemany(sql.REDUCE_COMMAND, reduced)


def _reduced(text: str, app: str, time_us: int, part: Part, *, is_gone: bool) -> Iterator[str]:
    """Give the outcome that is left of a command, if it concerns the part."""
    outcome = _outcomes.decode(text)
    if isinstance(outcome, Accepted) and is_gone:
        result = outcome.result
        if isinstance(result, dict):
            result = {name: member for name, member in result.items() if name != "skipped"}
        yield msgspec.json.encode(Accepted(id="", seq=outcome.seq, result=result)).decode()
    elif isinstance(outcome, Refused) and _may_be_about(part, app, time_us / 1e6):
        yield msgspec.json.encode(Refused(id="", seq=outcome.seq, error=Error(outcome.error.code, FORGOTTEN))).decode()


def _may_be_about(part: Part, app: str, time_s: float) -> bool:
    """Tell whether a refused command may be about the part: it is not kept what it was about, nor when that held."""
    if part.source is not None and app != part.source:
        return False
    since, until = part.accepted_from, part.accepted_until
    return (since is None or time_s >= since) and (until is None or time_s < until)


def _delete_component(connection: sqlite3.Connection, user_key: int, part: Part) -> None:
    assert part.path is not None, "a component has a path"
    for which in sql.OF_COMPONENT.values():
        connection.execute(sql.DELETE_ITEMS.format(which), _of_component(user_key, part))
    connection.execute(sql.DROP_STRUCTURE, (user_key,))
    rows = connection.execute(sql.LISTING_ITEMS, (user_key,)).fetchall()
    changed = [
        (text, user_key, kind, key, seq)
        for kind, key, seq, body in rows
        if (text := _without(kind, key, body, list(part.path))) is not None
    ]
    connection.executemany(sql.SET_ITEM_BODY, changed)


def _without(kind: str, key: str, body: str, path: list[str]) -> str | None:
    """Give a view without the component that it lists, a component without the goal, a decision without the place.

    None: it does not name the component.
    """
    if kind == "decision":
        return _undecided(body, format_path(path))
    item = msgspec.json.decode(body)
    member = "components" if kind == "view" else "goals"
    here = split_path(key)[:-1]
    listed = item.get(member) or []
    left = [one for one in listed if one != path and not (isinstance(one, str) and [*here, one] == path)]
    if left == listed:
        return None
    return _with(body, **{member: left})


def _undecided(body: str, component: str) -> str | None:
    """Give a decision without what it says of a component by itself; None: it says nothing of it."""
    decision = _decisions.decode(body)
    left = {name: [*_about_others(getattr(decision, name), component)] for name in ("granted", "refused")}
    if left == {"granted": decision.granted, "refused": decision.refused}:
        return None
    return msgspec.json.encode(msgspec.structs.replace(decision, **left)).decode()


def _about_others(slices: Iterable[Slice], component: str) -> Iterator[Slice]:
    for one in slices:
        others = [path for path in one.components if path != component]
        if others or one.paths:
            yield msgspec.structs.replace(one, components=others)


def _with(body: str, **members: Any) -> str:
    return msgspec.json.encode(msgspec.json.decode(body) | members).decode()


def _of_component(user_key: int, part: Part) -> dict[str, Any]:
    assert part.path is not None, "a component has a path"
    path = format_path(part.path)
    return {"key": user_key, "path": path, "below": f"{path}/", "behind": f"{path}0"}


def _count(connection: sqlite3.Connection, statement: str, values: Any = ()) -> int:
    return int(connection.execute(statement, values).fetchone()[0])
