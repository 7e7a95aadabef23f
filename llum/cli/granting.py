"""What apps may do and what was decided about them, in words."""

from collections.abc import Iterator
from typing import Final

from llum.cli import layout, render
from schemas.app_names import app_name
from schemas.grants import ConsentDecision, GrantedApp, GrantsReply
from schemas.slices import Slice

_DECISIONS: Final = {"allowed": "allowed", "refused": "refused", "changed": "changed to", "revoked": "revoked"}


def in_words(reply: GrantsReply, width: int | None) -> str:
    """Say what each app may do, and then what was decided; `width` are the cells of a line, None: nothing is cut."""
    shown = ["\n".join(layout.paragraph(line, width) for line in _lines(app)) for app in reply.apps]
    more = [f"{reply.more} earlier decisions are not shown"] if reply.more else []
    return "\n\n".join([*shown, *more])


def slice_in_words(one: Slice) -> str:
    """Say what a slice allows where, and within which limits."""
    places = [*(f"/{path} and below" if path else "the whole model" for path in one.paths), *one.components]
    denied = [f"not {', '.join(one.denied)}"] if one.denied else []
    what = ", ".join([*one.actions, *denied])
    whose = f" for its rules in the model of {one.whose_rules}" if one.whose_rules else ""
    limits = "".join(f"; {limit}" for limit in _limits(one))
    return f"{what} at {', '.join(places)}{whose}{limits}"


def _limits(one: Slice) -> Iterator[str]:
    for what, value in (("only", one.resolver), ("only view", one.view)):
        if value:
            yield f"{what} {value}"
    for what, names in (("resolvers", one.resolvers), ("filters", one.filters), ("evidence", one.datatypes)):
        if names:
            yield f"only the {what} {', '.join(names)}"
    if one.past:
        yield f"{one.past:g} s back"
    if one.since:
        yield f"only what was told since {render.minute(one.since)}"
    if one.expires:
        yield f"until {render.minute(one.expires)}"
    if one.purpose:
        yield f"for: {_of_app(one.purpose)}"


def _of_app(text: str) -> str:
    """Keep a text of an app within one line, so that it cannot look like one of llum's."""
    return render.in_cell(" ".join(text.split()))


def _lines(app: GrantedApp) -> Iterator[str]:
    said = [f"calls itself {_of_app(app.name)}"] if app.name else []
    said += [f"from {_of_app(app.host)}"] if app.host else []
    state = "not registered" if app.registration is None else "an owner's app" if app.role == "owner" else ""
    yield ": ".join(filter(None, [app_name(app.app), ", ".join(filter(None, [state, *said]))]))
    if app.role == "owner":
        yield "  may do everything"
    for one in app.slices:
        yield f"  may {slice_in_words(one)}"
    if app.registration is not None and app.role != "owner" and not app.slices:
        yield "  may do nothing"
    if app.rules:
        yield f"  has {app.rules} rules, {app.suspended} of them suspended"
    for decision in app.decisions:
        yield f"  {_decided(decision)}"


def _decided(one: ConsentDecision) -> str:
    slices = one.refused if one.decision == "refused" else one.granted
    what = "; ".join(map(slice_in_words, slices))
    role = "to be an owner's app" if one.role == "owner" else ""
    how = f", {_of_app(one.how)}" if one.how else ""
    elsewhere = ", elsewhere" if one.imported else ""
    said = " ".join(filter(None, [_DECISIONS[one.decision], role, what]))
    return f"{render.minute(one.time)} {said} (through {app_name(one.by)}{how}{elsewhere})"
