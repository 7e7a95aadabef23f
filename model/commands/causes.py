"""Causes: evidence that a rule has told goes with the evidence that fired the rule.

Each piece that a rule tells remembers one piece, its cause. So what follows from evidence is a tree: the values that
rules have told because of it, what follows from these, and what has left the model, to other people's and to URLs.
Withdrawing evidence, or deleting its component, withdraws all of that in this model, up to `MAX_TOGETHER` pieces at
once; the rest is withdrawn by further commands of llum's own. In other people's models it is withdrawn by a command to
each. What a rule tells after its cause has gone is refused: so it does not matter which of the two comes first.

A component that never had a rule has fired none, and nothing is looked for. Of a piece whose component has been deleted
nothing is left to do: all that followed from it went with the component.
"""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, NamedTuple, TypeVar

import msgspec

from model import permissions
from model.changes import (
    CauseGone,
    Change,
    Decision,
    WithdrawElsewhere,
    WithdrawFurther,
    mark_withdrawn,
    note_consequence,
    put,
)
from model.commands.rule_rights import check_may_ask
from model.commands.targets import check_may, existing_component
from model.evidence import decode_evidence
from model.reads import Follow, Followed, Read, Reading
from model.stamp import Stamp
from model.state import NUMBERS_PER_COMMAND, Component, Context, Leaf, Model, contexts_below
from schemas.apps import RULES_APP
from schemas.causes import Cause, CauseRange
from schemas.commands import NoteSent, WithdrawFollowing
from schemas.effects import Sent
from schemas.errors import Code, Refusal
from schemas.evidence import CausingPiece, Evidence, EvidenceCause, Withdrawal
from schemas.paths import Path, check_path
from schemas.plain_checks import check_length, check_text

MAX_TOGETHER: Final = 1000
"""Pieces that one command withdraws because of their causes: some milliseconds. Further commands withdraw the rest."""

MAX_LOOKED_AT: Final = 10_000
"""Things that one command looks at for that: some may be withdrawn already, or be notices."""

MAX_ORIGINS: Final = 1000
"""Origins of one read, and of one further command."""

_sent: Final = msgspec.json.Decoder(Sent)

_T = TypeVar("_T")


class FollowingPiece(NamedTuple):
    """A piece of this model that a rule has told because of another one."""

    path: Path
    """Of its component, from the root."""
    component_no: int
    seq: int
    n: int
    cause: CausingPiece
    withdrawn: bool


class SentPiece(NamedTuple):
    """What a rule has brought about outside this model because of a piece of it."""

    seq: int
    """Of the cause, as `n`."""
    n: int
    sent: Sent


class Following(msgspec.Struct):
    """What follows from some evidence, each thing after its cause."""

    pieces: list[FollowingPiece] = []
    sent: list[SentPiece] = []
    rest: list[CauseRange] = []
    """Where there may be more; empty: that is all."""


class _Place(NamedTuple):
    path: Path
    component: Component
    fires: bool
    """Whether it has rules, or had some."""


def may_have_fired(context: Context, name: str, component: Component | Leaf) -> bool:
    """Tell whether a component has rules, or had some: otherwise nothing follows from its evidence."""
    return component.had_rules or name in context.contents.rules


def what_follows(
    model: Model,
    origins: Iterable[CauseRange],
    limit: int | None = None,
    *,
    all_of_it: bool = False,
    without: Collection[int] = (),
) -> Reading[Following]:
    """Find what follows from evidence of this model, or here from another's, through all that has followed.

    At most `limit` pieces; None: as many as one command withdraws. What has been withdrawn is passed over unless
    `all_of_it` is wanted, as is what follows from that: it has been withdrawn, too. `without` are the numbers of
    components that are about to go.
    """
    following, limit = Following(), MAX_TOGETHER if limit is None else limit
    waiting = deque(origins)
    places: dict[int, _Place] | None = None
    looked_at = 0
    while waiting and len(following.pieces) < limit and looked_at < MAX_LOOKED_AT:
        together = [waiting.popleft() for _ in range(min(MAX_ORIGINS, len(waiting)))]
        bound = min(limit - len(following.pieces), MAX_LOOKED_AT - looked_at)
        found: list[Followed] = yield Follow(user=model.user, origins=tuple(together), limit=bound)
        looked_at += len(found)
        if len(found) == bound:
            waiting.extendleft(reversed(_after(together, found[-1])))
        if places is None and found:
            places = _places(model)
        for one in found:
            _take(following, waiting, together[one.origin], one, places or {}, all_of_it, without)
    following.rest = list(waiting)
    return following


def _take(
    following: Following,
    waiting: deque[CauseRange],
    origin: CauseRange,
    one: Followed,
    places: dict[int, _Place],
    all_of_it: bool,
    without: Collection[int],
) -> None:
    """Take one thing that follows, and have it looked for what follows from it in its turn."""
    if one.sent is not None:
        following.sent.append(SentPiece(one.cause_seq, one.cause_n, _sent.decode(one.sent)))
        return
    place = places.get(one.component_no)
    is_wanted = origin.only_no in (0, one.component_no) and one.component_no not in without
    if place is None or not is_wanted or (one.withdrawn and not all_of_it):
        return
    _, person = permissions.parted_grantee(origin.grantee)
    cause = CausingPiece(seq=one.cause_seq, n=one.cause_n, person=person)
    piece = FollowingPiece(place.path, one.component_no, one.seq, one.n, cause, one.withdrawn)
    following.pieces.append(piece)
    if place.fires:
        waiting.append(CauseRange(component_no=one.component_no, seq=one.seq, n=one.n))


def _after(origins: Sequence[CauseRange], last: Followed) -> list[CauseRange]:
    """Say where to go on after what was found last."""
    begun = msgspec.structs.replace(origins[last.origin], after=last.place)
    return [begun, *origins[last.origin + 1 :]]


def _places(model: Model) -> dict[int, _Place]:
    """Find all components by their numbers."""
    return {
        component.number: _Place((*path, name), component, may_have_fired(context, name, component))
        for path, context in contexts_below((), model.root)
        for name, component in context.components.items()
    }


def gone_with(
    model: Model, origins: Iterable[CauseRange], by: str, stamp: Stamp, without: Collection[int] = ()
) -> Reading[list[Change]]:
    """Say what is withdrawn with evidence that counts no longer, here and elsewhere."""
    origins = list(origins)
    if not origins:
        return []
    following = yield from what_follows(model, origins, without=without)
    changes = _withdrawn(model, following.pieces, by, stamp)
    gone = tuple(CauseGone(one.seq, one.n, one.sent) for one in following.sent if one.sent.person is not None)
    changes += [WithdrawElsewhere(stamp.time_s, some) for some in _some(gone)]
    changes += [WithdrawFurther(some, by) for some in _some(tuple(following.rest))]
    return changes


def _some(things: tuple[_T, ...]) -> Iterator[tuple[_T, ...]]:
    """Give things in parts, each of which fits into one command."""
    return (things[at : at + MAX_ORIGINS] for at in range(0, len(things), MAX_ORIGINS))


def _withdrawn(model: Model, pieces: Sequence[FollowingPiece], by: str, stamp: Stamp) -> list[Change]:
    changes: list[Change] = []
    for path in dict.fromkeys(piece.path for piece in pieces):
        component = existing_component(model, path[:-1], path[-1]).component
        changes += with_withdrawals(component, path)
    for piece in pieces:
        mark = Withdrawal(by=by, time=stamp.time_s, cause=piece.cause)
        changes.append(mark_withdrawn(piece.component_no, piece.seq, piece.n, mark, piece.path))
    return changes


def with_withdrawals(component: Component, path: Path) -> list[Change]:
    """Note with a component that some of its evidence has been withdrawn, unless that is noted."""
    if component.withdrawals:
        return []
    return [put("component", path, msgspec.structs.replace(component, withdrawals=True))]


def withdraw_following(model: Model, command: WithdrawFollowing, stamp: Stamp) -> Reading[Decision]:
    """Withdraw what follows from causes that are gone already: the rest of them, or those of another model."""
    if command.person is None:
        if stamp.app != RULES_APP:
            raise permissions.denied(stamp.app, "withdraw what follows from evidence")
        origins, by = command.origins, command.by or RULES_APP
    else:
        origins, by = _origins_elsewhere(model, command, command.person, stamp), stamp.app
    return Decision((yield from gone_with(model, origins, by, stamp)))


def _origins_elsewhere(model: Model, command: WithdrawFollowing, person: str, stamp: Stamp) -> list[CauseRange]:
    """Find the causes in another person's model of what the app's rules there have told a component here."""
    grantee = permissions.grantee_of(stamp.app, person)
    path = check_path(command.context, "context")
    name = command.component or ""
    check_may(permissions.grant_at(model, grantee, path, name, stamp.time_s), grantee, "tell", path, name)
    check_length(command.pieces, "pieces")
    number = existing_component(model, path, name).component.number
    return [CauseRange(seq=seq, n=n, grantee=grantee, only_no=number) for seq, n in command.pieces]


def note_sent(model: Model, command: NoteSent, stamp: Stamp) -> Reading[Decision]:
    """Note what is about to leave the model. If its cause has gone by now, it is to be withdrawn in its turn."""
    if stamp.app != RULES_APP:
        raise permissions.denied(stamp.app, "note what rules have sent")
    cause = command.cause
    if cause.seq is None:
        raise Refusal(Code.BAD_FIELD, "only what a piece of evidence has set off is noted", "cause.seq")
    sent = Sent(
        app=command.app,
        rule=cause.rule,
        time=stamp.time_s,
        person=command.person,
        path=command.path,
        method=command.method,
        url=command.url,
    )
    component = component_of_cause(model, cause)
    counts = component is not None and (yield from _counts(model, component, cause.seq, cause.n))
    changes: list[Change] = []
    if component is not None:
        changes.append(note_consequence(component.number, cause.seq, cause.n, sent))
    if not counts and command.person is not None:
        changes.append(WithdrawElsewhere(stamp.time_s, (CauseGone(cause.seq, cause.n, sent),)))
    return Decision(changes)


def check_piece_of(model: Model, cause: Cause, app: str, stamp: Stamp) -> EvidenceCause | None:
    """Give the cause that evidence is to remember, as far as the model alone can say that it counts.

    None: the rule was fired by no evidence. `must_be_read` says whether what is stored must be looked at, too. Raises
    `cause_withdrawn`, `permission_denied` if the app may not ask the component, or `bad_field`.
    """
    if cause.seq is None:
        return None
    if _is_elsewhere(cause, stamp):
        return EvidenceCause(seq=cause.seq, n=cause.n, person=cause.person)
    if cause.seq >= stamp.seq:
        raise Refusal(Code.BAD_FIELD, "a cause comes before what follows from it", "cause.seq")
    _check_read(cause.read)
    # Before all else: what becomes of the command tells whether there is such a piece.
    path = check_path(cause.path, "cause.path")
    check_may_ask(model, path[:-1], path[-1] if path else "", app, stamp)
    component = component_of_cause(model, cause)
    if component is None:
        raise cause_withdrawn()
    return EvidenceCause(seq=cause.seq, n=cause.n, path=cause.path, number=component.number, read=cause.read)


def must_be_read(model: Model, cause: Cause | None, stamp: Stamp) -> bool:
    """Tell whether only what is stored can say that the cause counts: something of its component was withdrawn."""
    if cause is None or cause.seq is None or _is_elsewhere(cause, stamp):
        return False
    component = component_of_cause(model, cause)
    return component is not None and component.withdrawals


def check_counts(model: Model, cause: Cause) -> Reading[None]:
    """Raise `cause_withdrawn` unless the cause is stored and counts. To be called if it `must_be_read`."""
    component = component_of_cause(model, cause)
    assert component is not None, "a component that is not there is no reason to read"
    assert cause.seq is not None, "without a cause there is none to read"
    if not (yield from _counts(model, component, cause.seq, cause.n)):
        raise cause_withdrawn()


def component_of_cause(model: Model, cause: Cause) -> Component | None:
    """Find the component of a cause in this model; None: it has been deleted, though one may be there of its name."""
    context = model.context(tuple(cause.path[:-1]))
    component = None if context is None or not cause.path else context.component(cause.path[-1])
    if component is None or cause.seq is None or component.number // NUMBERS_PER_COMMAND > cause.seq:
        return None
    return component


def cause_withdrawn() -> Refusal:
    message = "the evidence that fired the rule has been withdrawn"
    return Refusal(Code.CAUSE_WITHDRAWN, message, "cause", "nothing is to be done: what would follow from it is gone")


def read_piece(model: Model, component: Component, seq: int, n: int) -> Reading[Evidence | None]:
    """Read a piece of evidence as it is now; None: there is none."""
    read = Read(
        component_no=component.number,
        seq_max=model.seq,
        after=(seq, n - 1),
        withdrawn="marked" if component.withdrawals else "none",
        limit=1,
    )
    (found,) = yield [read]
    for piece in decode_evidence(found.bodies):
        if (piece.seq, piece.n) == (seq, n):
            return piece
    return None


def _counts(model: Model, component: Component, seq: int, n: int) -> Reading[bool]:
    if not component.withdrawals:
        return True
    piece = yield from read_piece(model, component, seq, n)
    return piece is not None and piece.withdrawn is None


def _is_elsewhere(cause: Cause, stamp: Stamp) -> bool:
    return cause.person not in (None, stamp.user)


def _check_read(read: Sequence[str]) -> None:
    check_length(read, "cause.read")
    for index, path in enumerate(read):
        check_text(path, f"cause.read[{index}]")
