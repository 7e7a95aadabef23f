"""The owner's last word, and taking evidence back."""

from typing import Final

import msgspec

from model import permissions
from model.changes import Change, MarkWithdrawn
from model.checks import check_evidence, check_text
from model.commands.making import accept_evidence, added_evidence
from model.commands.rules import fired
from model.commands.targets import ComponentPlace, check_owner, component_to_change, existing_component
from model.evidence import decode_evidence
from model.reads import Found, Read
from model.stamp import Stamp
from model.state import Model, put
from schemas.commands import Command, Correct, Withdraw
from schemas.errors import Code, Refusal
from schemas.evidence import Evidence, NewEvidence, Withdrawal
from schemas.paths import check_path

Handled = tuple[list[Change], object]

_MAX_SEQ: Final = 2**62


def correct(model: Model, command: Correct, stamp: Stamp) -> Handled:
    """Add the owner's correction. The result names it for `withdraw`."""
    check_owner(model, stamp.app, "correct evidence")
    place = existing_component(model, check_path(command.context, "context"), command.component)
    new = NewEvidence(value=command.value, comment=command.comment)
    _check_new(new, place)
    evidence = accept_evidence(new, place.component.number, 0, stamp).evidence
    evidence.correction = True
    added = added_evidence(evidence, place.component.number, stamp.time_us)
    return [added, *fired(place.context, place.path, place.name, None)], {"seq": stamp.seq, "n": 0}


def evidence_named(model: Model, command: Command) -> Read | None:
    """Say what must be read before a command can be applied; it is given to `apply` as `named`."""
    if not isinstance(command, Withdraw) or not 0 <= command.seq < _MAX_SEQ or not 0 <= command.n < _MAX_SEQ:
        return None
    context = model.context(tuple(command.context))
    component = context.components.get(command.component) if context is not None else None
    if component is None:
        return None
    return Read(
        component_no=component.number,
        seq_max=model.seq,
        after=(command.seq, command.n - 1),
        withdrawn="marked" if component.withdrawals else "none",
        limit=1,
    )


def withdraw(model: Model, command: Withdraw, stamp: Stamp, named: Found | None) -> Handled:
    """Mark evidence as withdrawn."""
    owner = permissions.is_owner(model, stamp.app)
    place = component_to_change(model, stamp, command.context, command.component)
    if command.comment is not None:
        check_text(command.comment, "comment")
    piece = _piece(command, named)
    if piece is None or piece.withdrawn is not None or not (owner or piece.source == stamp.app):
        message = "the component has no such evidence, or it is not yours, or it is withdrawn already"
        raise Refusal(Code.NO_SUCH_EVIDENCE, message, "seq", "take seq and n from the component's evidence")
    mark = Withdrawal(by=stamp.app, time=stamp.time_s, comment=command.comment)
    component = place.component
    changes: list[Change] = [MarkWithdrawn(component.number, command.seq, command.n, msgspec.json.encode(mark))]
    if not component.withdrawals:
        component.withdrawals = True
        changes.append(put("component", place.full_path, component))
    return changes, None


def _piece(command: Withdraw, named: Found | None) -> Evidence | None:
    for piece in decode_evidence(named.bodies) if named is not None else []:
        if (piece.seq, piece.n) == (command.seq, command.n):
            return piece
    return None


def _check_new(new: NewEvidence, place: ComponentPlace) -> None:
    component = place.component
    try:
        check_evidence(new, component.value_type, component.value_list, "")
    except Refusal as refusal:
        error = refusal.error
        raise Refusal(error.code, error.message, (error.field or "").removeprefix("."), error.hint) from None
