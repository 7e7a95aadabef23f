"""What goes when a part of a model is forgotten, as far as the model of now knows it: the past goes, too.

The store finds a part in all that it keeps. Here it is found among the evidence of components that are there: only
that has to do with values.
"""

from model.caches import Caches
from model.changes import Change, Part, drop
from model.commands.causes import MAX_TOGETHER, may_have_fired, what_follows
from model.commands.erase import part_of
from model.commands.rules import dropped_rules
from model.commands.targets import check_owner
from model.evidence import decode_evidence, to_us
from model.fold import take
from model.permissions import Asker
from model.queries.what_goes import MAX_FURTHER, LeavingPiece, WhatGoes, components_of, heard, note
from model.reads import Read, Reading
from model.stamp import stamp_after
from model.state import Model
from schemas.causes import CauseRange
from schemas.evidence import Evidence
from schemas.limits import MAX_EVIDENCE_CONSIDERED, MAX_EVIDENCE_PAGE
from schemas.parts import ForgetPart
from schemas.paths import Path


def what_is_forgotten(model: Model, command: ForgetPart, asker: Asker, last_seq: int) -> Reading[WhatGoes]:
    """Find what goes with a part, as `what_goes` does for other commands."""
    check_owner(model, asker.app, "forget a part of the model")
    part = part_of(command)
    goes = WhatGoes()
    places = components_of(model)
    yield from _list_evidence(part, places, last_seq, goes)
    yield from heard(_list_derived(model, places, goes), last_seq, goes.sent)
    _drop_component(model, part, asker, goes)
    return goes


def _list_evidence(part: Part, places: dict[int, Path], last_seq: int, goes: WhatGoes) -> Reading[None]:
    """Look through the evidence of all components that the part may be in."""
    looked_at = 0
    for number, path in places.items():
        after = (0, -1) if part.seq is None else (part.seq, -1)
        while part.path in (None, path):
            read = Read(component_no=number, seq_max=last_seq, after=after, limit=MAX_EVIDENCE_PAGE)
            (found,) = yield [read]
            pieces = decode_evidence(found.bodies)
            goes.pieces += [LeavingPiece(path, number, one.seq, one.n) for one in pieces if is_in(part, one)]
            looked_at += len(pieces)
            if not pieces or _is_beyond(part, pieces[-1]):
                break
            if looked_at > MAX_EVIDENCE_CONSIDERED:
                goes.is_all = False
                return
            after = (pieces[-1].seq, pieces[-1].n)


def is_in(part: Part, piece: Evidence) -> bool:
    """Tell whether a piece of the part's component is in it: it fulfils all that is set."""
    accepted_us = to_us(piece.creation_time)
    return (
        part.seq in (None, piece.seq)
        and part.n in (None, piece.n)
        and part.source in (None, piece.source)
        and (part.accepted_from is None or accepted_us >= to_us(part.accepted_from))
        and (part.accepted_until is None or accepted_us < to_us(part.accepted_until))
        and (part.held_from is None or piece.held_from >= part.held_from)
        and (part.held_until is None or piece.held_from < part.held_until)
    )


def _is_beyond(part: Part, last: Evidence) -> bool:
    return part.seq is not None and last.seq > part.seq


def _list_derived(model: Model, places: dict[int, Path], goes: WhatGoes) -> Reading[None]:
    """Add what rules have told because of the evidence, whether or not it has been withdrawn."""
    there = {(one.component_no, one.seq, one.n) for one in goes.pieces}
    fire = {number for number, path in places.items() if _fires(model, path)}
    origins = [CauseRange(component_no=number, seq=seq, n=n) for number, seq, n in sorted(there) if number in fire]
    for _ in range(MAX_FURTHER):
        if not origins:
            return
        following = yield from what_follows(model, origins, MAX_TOGETHER, all_of_it=True)
        for one in following.pieces:
            key = (one.component_no, one.seq, one.n)
            if key not in there:
                there.add(key)
                goes.pieces.append(LeavingPiece(one.path, *key))
        origins = following.rest
    goes.is_all = goes.is_all and not origins


def _fires(model: Model, path: Path) -> bool:
    context = model.context(path[:-1])
    leaf = None if context is None else context.contents.components.get(path[-1])
    return context is not None and leaf is not None and may_have_fired(context, path[-1], leaf)


def _drop_component(model: Model, part: Part, asker: Asker, goes: WhatGoes) -> None:
    """Take a component out of the copy, with its rules, if it is forgotten as a whole."""
    path = part.path
    context = None if path is None else model.context(path[:-1])
    if path is None or context is None or not part.is_whole_component or context.component(path[-1]) is None:
        return
    rules = context.rules.get(path[-1], ())
    changes: list[Change] = [*dropped_rules(context, path[:-1], path[-1], rules), drop("component", path)]
    note(goes, model, changes, {})
    take(model, changes, stamp_after(model, model.user, asker.app, model.seq + 1, model.time_us), Caches())
