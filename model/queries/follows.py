"""What has followed from a piece of evidence: values, the rules that told them, what was sent, and who has asked.

The owner's apps alone see that. It is about a copy of the model, which stays as it was while all of it is read.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any, Final

from model.asked.about import added_up
from model.asked.shows import shows
from model.commands.causes import Following, FollowingPiece, read_piece, what_follows
from model.commands.targets import existing_component
from model.evidence import decode_evidence
from model.permissions import Asker, denied
from model.reads import AsOf, Follow, Found, Read, Reading, Recorded
from model.state import Model
from schemas.asked import AskedRow
from schemas.causes import CauseRange
from schemas.consequences import ReachedModel, SentNotice
from schemas.errors import Code, Refusal
from schemas.evidence import Evidence
from schemas.following import FiredRule, FollowsReply, ToldValue
from schemas.paths import Path, check_path
from schemas.queries import Follows

MAX_FOLLOWING: Final = 1000
"""Things of a kind in one reply: nobody reads more."""

MAX_BYTES: Final = 2 * 1024 * 1024
"""Bytes of the evidence of one reply, half of what a reply may have."""

_READ_AT_ONCE: Final = 32
"""Pieces that are read at once: each may have a megabyte."""

_Shown = tuple[float, Callable[[AskedRow], bool]]
"""Since when something is there to be seen (seconds since 1970), and a test of the asks that show it."""


def answer_follows(
    model: Model, asker: Asker, query: Follows
) -> Generator[AsOf | list[Read] | Follow | Recorded, Any, FollowsReply]:
    """Say what has followed. Raises `permission_denied`, and `no_such_evidence` and the like."""
    if not asker.is_owner:
        raise denied(asker.app, "see what follows from evidence")
    then: Model = yield AsOf(user=model.user, seq=model.seq)
    place = existing_component(then, check_path(query.context, "context"), query.component)
    piece = yield from read_piece(then, place.component, query.seq, query.n)
    if piece is None:
        message = "the component has no such evidence"
        raise Refusal(Code.NO_SUCH_EVIDENCE, message, "seq", "take seq and n from the component's evidence")
    origin = CauseRange(component_no=place.component.number, seq=query.seq, n=query.n)
    following = yield from what_follows(then, [origin], MAX_FOLLOWING, all_of_it=True)
    reply = FollowsReply(seq=then.seq, more=bool(following.rest))
    paths = {(query.seq, query.n): place.full_path, **{(one.seq, one.n): one.path for one in following.pieces}}
    reply.values = yield from _values(then, following.pieces, reply)
    _add_sent(following, reply)
    reply.rules = _rules(then, following, reply.values, paths)
    rows: list[AskedRow] = yield Recorded(user=then.user, since=piece.creation_time)
    _add_asked(rows, _shown(then, place.full_path, piece, reply.values), then.user, reply)
    return reply


def _values(then: Model, pieces: Sequence[FollowingPiece], reply: FollowsReply) -> Reading[list[ToldValue]]:
    """Read what was told, as far as a reply has room for it. What has come since is left out."""
    values: list[ToldValue] = []
    room = MAX_BYTES
    for at in range(0, len(pieces), _READ_AT_ONCE):
        some = pieces[at : at + _READ_AT_ONCE]
        found: list[Found] = yield [_read(then, piece) for piece in some]
        for piece, one in zip(some, found, strict=True):
            room -= sum(map(len, one.bodies))
            if room < 0:
                reply.more = True
                return values
            values += [_value(piece, told) for told in decode_evidence(one.bodies) if told.seq == piece.seq]
    return values


def _read(then: Model, piece: FollowingPiece) -> Read:
    return Read(
        component_no=piece.component_no,
        seq_max=then.seq,
        after=(piece.seq, piece.n - 1),
        withdrawn="marked",
        limit=1,
    )


def _value(piece: FollowingPiece, told: Evidence) -> ToldValue:
    return ToldValue(
        path=list(piece.path),
        seq=told.seq,
        n=told.n,
        value=told.value,
        source=told.source,
        creation_time=told.creation_time,
        rule=told.rule,
        cause=piece.cause,
        withdrawn=told.withdrawn,
    )


def _add_sent(following: Following, reply: FollowsReply) -> None:
    for _, _, sent in following.sent[:MAX_FOLLOWING]:
        if sent.person is None:
            notice = SentNotice(app=sent.app, rule=sent.rule, time=sent.time, method=sent.method, url=sent.url)
            reply.notices.append(notice)
        else:
            told = ReachedModel(person=sent.person, path=sent.path, app=sent.app, rule=sent.rule, time=sent.time)
            reply.elsewhere.append(told)
    reply.more = reply.more or len(following.sent) > MAX_FOLLOWING


def _rules(
    then: Model, following: Following, values: Iterable[ToldValue], paths: dict[tuple[int, int], Path]
) -> list[FiredRule]:
    """List the rules that have brought all of it about, each once, in the order in which they did so."""
    told = [(paths[one.cause.seq, one.cause.n], one.rule, one.source) for one in values if one.rule is not None]
    sent = [(paths[one.seq, one.n], one.sent.rule, one.sent.app) for one in following.sent]
    return [
        FiredRule(path=list(path), token=token, app=app, statement=_statement(then, path, token))
        for path, token, app in dict.fromkeys([*told, *sent])
    ]


def _statement(then: Model, path: Path, token: str) -> str | None:
    context = then.context(path[:-1])
    rule = None if context is None else context.rules.get(path[-1], {}).get(token)
    return None if rule is None else rule.statement


def _shown(then: Model, path: Path, piece: Evidence, values: Iterable[ToldValue]) -> list[_Shown]:
    """Say where the piece and what follows from it can be seen, and since when."""
    since = {path: piece.creation_time}
    for value in values:
        since.setdefault(tuple(value.path), value.creation_time)
    return [(time, shows(then, path)) for path, time in since.items()]


def _add_asked(rows: Iterable[AskedRow], shown: Sequence[_Shown], user: str, reply: FollowsReply) -> None:
    """Add who has asked. What the person's own rules have read is no news: they are listed themselves."""
    meant = (row for row in rows if row.rule_of != user and any(row.last >= at and test(row) for at, test in shown))
    asked = added_up(meant)
    reply.asked = asked[:MAX_FOLLOWING]
    reply.more = reply.more or len(asked) > MAX_FOLLOWING
