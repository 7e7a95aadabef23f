"""Whether an app may do something, and why, in words."""

from collections.abc import Iterator
from typing import Any, Final

from llum.cli import layout, render
from schemas.granting import CheckedPart, CheckReply
from schemas.slices import Slice

_WHY: Final = {
    "owner": "{app} is an app of the owner's, and may do everything.",
    "setting": "{app} may {action} here.",
    "not_said": "{app} may not {action} here: nothing is set that says so.",
    "forbidden": "{app} may not {action} here: the setting at {place} forbids it.",
    "expired": "{app} may not {action} here: the setting at {expired} has expired.",
    "outside_view": "{app} may not ask here: it sees only what the view {view} lists.",
    "needs": "{app} may not {action} here: for that it also needs {needs}.",
    "not_registered": "{app} may not {action} here: no app of that name is registered.",
}


def in_words(reply: CheckReply, app: str, action: str, width: int | None) -> str:
    """Say the verdict, then which setting decides each part; `width` are the cells of a line, None: nothing is cut."""
    return "\n\n".join(_parts(reply, app, action, width))


def _parts(reply: CheckReply, app: str, action: str, width: int | None) -> Iterator[str]:
    own = reply.parts[0] if reply.parts else CheckedPart(part=action)
    view = next((part.value for part in reply.parts if part.part == "bind_view"), "")
    verdict = _WHY[reply.reason].format(
        app=app, action=action, place=own.place, expired=own.expired, view=view, needs=" and ".join(reply.needs)
    )
    yield layout.paragraph(verdict if reply.exists else f"{verdict} There is nothing here yet.", width)
    rows = [[render.in_cell(cell) for cell in _row(part)] for part in reply.parts if part.place or part.expired]
    if rows:
        yield layout.whole_table(("part", "value", "set at", ""), rows, width)
    if reply.missing is not None:
        yield layout.paragraph(f"To be granted: {_granted(reply.missing)}", width)


def _row(part: CheckedPart) -> tuple[str, ...]:
    notes = [
        *([f"as {part.said_as}"] if part.said_as else []),
        *([f"until {render.minute(part.until)}"] if part.until else []),
        *([f"expired at {part.expired}"] if part.expired else []),
    ]
    return part.part, _value(part), part.place or "", ", ".join(notes)


def _value(part: CheckedPart) -> str:
    value: Any = part.value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "no limit" if part.place else ""
    return render.minute(value) if part.part == "since" else str(value)


def _granted(missing: Slice) -> str:
    places = [*(f"{path or '/'} and all below" for path in missing.paths), *missing.components]
    whose = f", for its rules in the model of {missing.whose_rules}" if missing.whose_rules else ""
    return f"{', '.join(missing.actions)} in {', '.join(places)}{whose}"
