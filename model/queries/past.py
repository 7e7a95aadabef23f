"""Which model an answer is about: the one of now, or that of a sequence or time of the past.

How far back an app may ask is a part of its grant (`past`): not at all, unless the owner says so. Owner apps ask about
any time. Whatever has been deleted or withdrawn since stays hidden from all others, as it is in the present.
"""

import math
from collections.abc import Generator, Iterable

import msgspec

from model.evidence import to_us
from model.permissions import Asker, Grant, denied
from model.reads import AsOf
from model.state import Contents, Context, Leaf, Model
from schemas.errors import Code, Refusal
from schemas.missing import ALL_OF_THE_PAST, right, right_to_past
from schemas.paths import Path
from schemas.plain_checks import check_time
from schemas.queries import PastQuery
from schemas.slices import Slice


class Then(msgspec.Struct, frozen=True, gc=False):
    """The model that an answer is about, and what may be seen of it."""

    model: Model
    now: float
    """The time at which expiry is judged, seconds since 1970."""
    at: float | None = None
    """When that was, seconds since 1970; None: in the present, or it does not matter."""
    withdrawn_by: int | None = None
    """Evidence that has been withdrawn up to this sequence is hidden; None: what had been withdrawn then."""
    shown_until: int | None = None
    """Of the present: the last sequence of evidence that is listed; None: all of it."""


FindingModel = Generator[AsOf, Model | None, Then]


def model_then(
    model: Model, asker: Asker, query: PastQuery, grants: Iterable[Grant], pages: bool = False
) -> FindingModel:
    """Give the model as it was after a sequence and at a time (seconds since 1970), so far as the query sets these.

    The app needs one of the `grants` to reach back that far; whoever looks at the places themselves compares `at`.
    An ask that `pages` through evidence names the sequence of its first page: it needs no right to the past, and gets
    what there is of the present up to there. Raises `bad_field` for a time out of bounds, `permission_denied`, and
    `no_such_model` for a time before the model was made.
    """
    seq, time_s = query.as_of_seq, query.as_of_time
    if seq is None and time_s is None:
        return Then(model, asker.now)
    if time_s is not None:
        check_time(time_s, "as_of_time")
    if asker.sees_all_of_the_past:
        then = yield from _loaded(model, seq, time_s)
        return Then(then, then.time_us / 1e6)
    if (seq is None or seq >= model.seq) and (time_s is None or time_s >= asker.now):
        return Then(model, asker.now)
    reach_s = max((grant.past for grant in grants), default=0.0)
    reached = (yield from _within_reach(model, asker, query, reach_s)) if reach_s else None
    if reached is not None:
        return reached
    if pages and seq is not None and time_s is None:
        return Then(model, asker.now, shown_until=seq)
    raise too_far_back(asker, _missing(asker, query))


def check_reach(asker: Asker, grant: Grant, held_at: float, path: Path, name: str) -> None:
    """Check that the app may ask what was true of a component at this time. Raises `permission_denied`.

    What an app may not ask as of then it may not ask of then either, and nothing of what is to come.
    """
    if not asker.sees_all_of_the_past and not asker.now - grant.past <= held_at <= asker.now:
        missing = None if held_at > asker.now else right("ask", path, name, past=seconds_since(asker, held_at))
        raise denied(asker.app, "ask what was true at that time", "held_at", missing)


def too_far_back(asker: Asker, missing: Slice | None) -> Refusal:
    """Say that the app may not ask about the past, or not so far back."""
    return denied(asker.app, "ask so far back", "as_of", missing)


def seconds_since(asker: Asker, time_s: float) -> float:
    """Say how far back an app would have to be let look to ask about a time (seconds since 1970)."""
    return float(math.ceil(asker.now - time_s))


def _missing(asker: Asker, query: PastQuery) -> Slice | None:
    """Of a sequence nothing is said, not even its time."""
    if query.as_of_seq is not None or query.as_of_time is None:
        return right_to_past(query, ALL_OF_THE_PAST)
    return right_to_past(query, seconds_since(asker, query.as_of_time))


def _within_reach(
    model: Model, asker: Asker, query: PastQuery, reach_s: float
) -> Generator[AsOf, Model | None, Then | None]:
    """Load the model of then, unless that is too long ago. The earlier of a sequence and a time counts."""
    seq, time_s = query.as_of_seq, query.as_of_time
    earliest = asker.now - reach_s
    if time_s is not None and time_s < earliest:
        return None
    at = asker.now if time_s is None else time_s
    if seq is not None:
        of_seq = yield AsOf(user=model.user, seq=min(seq, model.seq))
        if of_seq is None or of_seq.time_us / 1e6 < earliest:
            return None
        at = min(at, of_seq.time_us / 1e6)
    then = yield from _loaded(model, seq, time_s)
    return Then(_without_deleted(then, model), then.time_us / 1e6, at, withdrawn_by=model.seq)


def _loaded(model: Model, seq: int | None, time_s: float | None) -> Generator[AsOf, Model | None, Model]:
    last = model.seq if seq is None else min(seq, model.seq)
    then = yield AsOf(user=model.user, seq=last, until_us=None if time_s is None else to_us(time_s))
    if then is None:
        raise Refusal(Code.NO_SUCH_MODEL, "the model had not yet been made then", "as_of")
    return then


def _without_deleted(then: Model, now: Model) -> Model:
    """Leave out what is no longer there, and what has been made anew under the same name."""
    kept = Model(then.user, _kept(then.root, now.root))
    kept.seq, kept.time_us = then.seq, then.time_us
    kept.apps, kept.permissions = then.apps, then.permissions
    kept.component_permissions = then.component_permissions
    return kept


def _kept(then: Context, now: Context) -> Context:
    children = {
        name: _kept(child, now.children[name])
        for name, child in then.children.items()
        if name in now.children and now.children[name].created_us == child.created_us
    }
    return Context.seen(then, _kept_contents(then, now), children)


def _kept_contents(then: Context, now: Context) -> Contents:
    was, present = then.contents, now.contents
    components: dict[str, Leaf] = {}
    for name, leaf in was.components.items():
        still = present.components.get(name)
        if still is not None and now.first + still.offset == then.first + leaf.offset:
            components[name] = msgspec.structs.replace(leaf, withdrawals=still.withdrawals)
    rules = {
        name: {token: rule for token, rule in by_token.items() if token in present.rules.get(name, {})}
        for name, by_token in was.rules.items()
        if name in components
    }
    views = {name: view for name, view in was.views.items() if name in present.views}
    return Contents(was.item, components, views, {name: kept for name, kept in rules.items() if kept})
