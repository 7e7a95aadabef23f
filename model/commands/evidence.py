"""Telling, the owner's last word, and taking evidence back."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from model import permissions
from model.changes import AddEvidence, Change, Decision, KeepHeldOrder, add, mark_withdrawn, put
from model.checks import check_evidence
from model.commands import causes
from model.commands.causes import gone_with, may_have_fired, read_piece, with_withdrawals
from model.commands.rules import check_cause, counted_cause, fired
from model.commands.targets import ComponentPlace, check_owner, component_to_change, existing_component
from model.conversions import converted
from model.permissions import KnownGrants
from model.reads import Reading
from model.stamp import Stamp
from model.state import Component, Context, Model, StoredRule
from schemas.causes import Cause, CauseRange
from schemas.commands import Correct, Derive, Tell, Withdraw
from schemas.errors import Code, Refusal
from schemas.evidence import Evidence, NewEvidence, ValueType, Withdrawal
from schemas.missing import right
from schemas.paths import Path, check_path
from schemas.plain_checks import check_text

_MAX_SEQ: Final = 2**62
_NOTHING_BEFORE: Final[list[Change]] = []


def tell(
    model: Model,
    command: Tell,
    stamp: Stamp,
    known: KnownGrants | None,
    cause: Cause | None = None,
    cause_is_read: bool = False,
) -> Decision | None:
    """Add evidence. This is by far the most frequent command, so its way is short.

    None: what is stored must say whether the cause of what a rule derived still counts.
    """
    path = tuple(command.context)
    name = command.component
    app = stamp.app if cause is None else _teller(cause, stamp)
    context = model.context(path)
    contents = None if context is None else context.contents
    leaf = None if contents is None else contents.components.get(name)
    if context is None or contents is None or leaf is None:
        component_to_change(model, msgspec.structs.replace(stamp, app=app), command.context, name, "tell")
        raise AssertionError("what is not there is refused")
    if not permissions.grant_at(model, app, path, name, stamp.time_us / 1e6, known).tell:
        raise permissions.denied(app, "tell", "context", right("tell", path, name))
    new = command.evidence
    if command.convert:
        new = with_value(new, leaf.value_type, leaf.value_list, "None" if cause is None else "")
    check_evidence(new, leaf.value_type, leaf.value_list, "evidence")
    number = context.first + leaf.offset
    held_order, before = leaf.held_order, _NOTHING_BEFORE
    if new.time is not None and not held_order:
        held_order, before = True, _held_order_begun(context, path, name)
    if cause is not None or contents.rules:
        if not cause_is_read and causes.must_be_read(model, cause, stamp):
            return None
        rules = contents.rules.get(name)
        evidence = _stamped(new, 0, stamp)
        told = _tell_among_rules(model, rules, number, command, cause, evidence, stamp, known, held_order)
        return Decision([*before, *told.changes]) if before else told
    added = add(_stamped(new, 0, stamp), number, stamp.time_us, held_order)
    return Decision((*before, added) if before else (added,))


def derive(model: Model, command: Derive, stamp: Stamp) -> Reading[Decision]:
    """Add evidence that a rule has derived, if the evidence that fired the rule still counts."""
    decision = tell(model, command, stamp, None, command.cause, cause_is_read=True)
    assert decision is not None, "there is nothing more to read"
    yield from causes.check_counts(model, command.cause)
    return decision


def correct(model: Model, command: Correct, stamp: Stamp) -> Decision:
    """Add the owner's correction. The result names it for `withdraw`."""
    check_owner(model, stamp.app, "correct evidence")
    place = existing_component(model, check_path(command.context, "context"), command.component)
    new = NewEvidence(value=command.value, comment=command.comment)
    _check_new(new, place)
    evidence = _stamped(new, 0, stamp)
    evidence.correction = True
    component = place.component
    changes: list[Change] = [add(evidence, component.number, stamp.time_us, component.held_order)]
    rules = place.context.rules.get(place.name)
    if rules is not None:
        changes += fired(model, rules, place.full_path, None, stamp, None, evidence)
    return Decision(changes, {"seq": stamp.seq, "n": 0})


def withdraw(model: Model, command: Withdraw, stamp: Stamp) -> Reading[Decision]:
    """Mark evidence as withdrawn, once it has been read whose it is, and what has followed from it."""
    owner = permissions.is_owner(model, stamp.app)
    place = component_to_change(model, stamp, command.context, command.component, "tell")
    if command.comment is not None:
        check_text(command.comment, "comment")
    piece = yield from _read_piece(model, place.component, command)
    if piece is None or piece.withdrawn is not None or not (owner or piece.source == stamp.app):
        message = "the component has no such evidence, or it is not yours, or it is withdrawn already"
        raise Refusal(Code.NO_SUCH_EVIDENCE, message, "seq", "take seq and n from the component's evidence")
    mark = Withdrawal(by=stamp.app, time=stamp.time_s, comment=command.comment)
    changes: list[Change] = [mark_withdrawn(place.component.number, command.seq, command.n, mark)]
    changes += with_withdrawals(place.component, place.full_path)
    if may_have_fired(place.context, place.name, place.component):
        origin = CauseRange(component_no=place.component.number, seq=command.seq, n=command.n)
        changes += yield from gone_with(model, [origin], stamp.app, stamp)
    return Decision(changes)


def with_notes(
    component: Component, path: Path, *, withdrawals: bool = False, held_order: bool = False
) -> list[Change]:
    """Note with a component what is so of some of its evidence, unless that is noted."""
    noted = msgspec.structs.replace(
        component,
        withdrawals=component.withdrawals or withdrawals,
        held_order=component.held_order or held_order,
    )
    if noted == component:
        return []
    begun = [] if noted.held_order == component.held_order else [KeepHeldOrder(component.number)]
    return [put("component", path, noted), *begun]


def _held_order_begun(context: Context, path: Path, name: str) -> list[Change]:
    component = context.component(name)
    assert component is not None, "it has just been found"
    return with_notes(component, (*path, name), held_order=True)


def accepted_evidence(new: NewEvidence, component: Component, n: int, stamp: Stamp) -> AddEvidence:
    """Accept new evidence; `n` is its place in the command."""
    return add(_stamped(new, n, stamp), component.number, stamp.time_us, component.held_order)


def _teller(cause: Cause, stamp: Stamp) -> str:
    """Say whose rights count for what a rule tells: outside its own model those of the app's rules in that model."""
    return stamp.app if cause.person in (None, stamp.user) else permissions.grantee_of(stamp.app, cause.person)


def with_value(new: NewEvidence, value_type: ValueType, value_list: Sequence[str], nothing: str) -> NewEvidence:
    """Give the evidence with its value as a component of this type takes it; see `converted`."""
    value = converted(new.value, value_type, value_list, nothing)
    return new if value is new.value else msgspec.structs.replace(new, value=value)


def _tell_among_rules(
    model: Model,
    rules: Mapping[str, StoredRule] | None,
    component_no: int,
    command: Tell,
    cause: Cause | None,
    evidence: Evidence,
    stamp: Stamp,
    known: KnownGrants | None,
    held_order: bool,
) -> Decision:
    """Accept what a rule tells, or what a rule may wait for."""
    if cause is not None:
        check_cause(model, cause)
    changes: list[Change] = []
    if cause is not None:
        evidence.rule = cause.rule
        evidence.cause = causes.check_piece_of(model, cause, stamp.app, stamp)
        changes = counted_cause(model, cause)
    added = add(evidence, component_no, stamp.time_us, held_order)
    if rules is not None:
        changes += fired(model, rules, (*command.context, command.component), cause, stamp, known, evidence)
    return Decision([added, *changes])


def _stamped(new: NewEvidence, n: int, stamp: Stamp) -> Evidence:
    """Put source, owner and time of acceptance on new evidence."""
    creation_time = stamp.time_us / 1e6
    return Evidence(
        seq=stamp.seq,
        n=n,
        value=new.value,
        evidence_type=new.evidence_type,
        source=stamp.app,
        owner=stamp.user,
        flags=new.flags,
        comment=new.comment,
        time=new.time,
        creation_time=creation_time,
        useby=new.useby,
        extra=new.extra,
    )


def _read_piece(model: Model, component: Component, command: Withdraw) -> Reading[Evidence | None]:
    if not 0 <= command.seq < _MAX_SEQ or not 0 <= command.n < _MAX_SEQ:
        return None
    return (yield from read_piece(model, component, command.seq, command.n))


def _check_new(new: NewEvidence, place: ComponentPlace) -> None:
    component = place.component
    try:
        check_evidence(new, component.value_type, component.value_list, "")
    except Refusal as refusal:
        error = refusal.error
        raise Refusal(error.code, error.message, (error.field or "").removeprefix("."), error.hint) from None
