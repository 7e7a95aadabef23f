"""What would follow if something went, in words: for whoever is about to let it go."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from llum.cli import layout, render
from schemas.app_names import app_name
from schemas.consequences import ChangedValue, GoingPiece, GoingRule, ReachedModel, SentNotice, Uncounted
from schemas.replies import ConsequencesReply


def is_more(reply: ConsequencesReply, than_pieces: int = 1) -> bool:
    """Tell whether more goes than so many pieces of evidence: with a component, what was not in it."""
    reaches = reply.rules or reply.notices or reply.elsewhere or reply.cut is not None
    return len(reply.pieces) > than_pieces or bool(reaches)


def in_words(reply: ConsequencesReply, width: int | None, *, forgets: bool = False) -> str:
    """Say all of it, a table for each kind of thing; `width` are the cells of a line, None: nothing is cut.

    What goes is withdrawn or deleted, or it `forgets`, which changes nobody else's model.
    """
    return "\n\n".join(_parts(reply, width, forgets))


def _parts(reply: ConsequencesReply, width: int | None, forgets: bool) -> Iterator[str]:
    if not reply.values:
        yield "No value changes."
    for name, kind in _KINDS.items():
        listed = getattr(reply, name)
        if listed:
            rows = [[render.in_cell(cell) for cell in kind.row(one)] for one in listed]
            title = _STAYS if forgets and name == "elsewhere" else kind.title
            yield f"{layout.paragraph(title, width)}\n{layout.whole_table(kind.head, rows, width)}"
    if reply.cut is not None:
        yield layout.paragraph(_rest(reply.cut), width)


def _rest(cut: Uncounted) -> str:
    counts = [f"{kind.rest} ({count})" for name, kind in _KINDS.items() if (count := getattr(cut, name))]
    if cut.unseen:
        counts.append("more than was looked at")
    return f"And beyond what is shown: {', '.join(counts)}."


def _value(one: ChangedValue) -> tuple[str, ...]:
    before = render.as_json(one.before) if one.error_before is None else f"({one.error_before.code})"
    after = render.as_json(one.after) if one.error_after is None else f"({one.error_after.code})"
    return render.path_text(one.path), before, "(deleted)" if one.goes else after


def _piece(one: GoingPiece) -> tuple[str, ...]:
    teller = app_name(one.source) + (f", rule {one.rule}" if one.rule else "")
    return render.path_text(one.path), render.piece_name(one.seq, one.n), teller, render.as_json(one.value)


def _rule(one: GoingRule) -> tuple[str, ...]:
    return render.path_text(one.path), one.token, app_name(one.app)


def _notice(one: SentNotice) -> tuple[str, ...]:
    return render.moment(one.time), one.rule, app_name(one.app), f"{one.method} {one.url}"


def _reached(one: ReachedModel) -> tuple[str, ...]:
    return one.person, one.rule, app_name(one.app), render.path_text(one.path)


class _Kind(NamedTuple):
    """How things of a kind are shown."""

    title: str
    head: Sequence[str]
    row: Callable[[Any], tuple[str, ...]]
    rest: str
    """What they are called where they are only counted."""


_STAYS: Final = "Rules have told other people's models because of it, which stays there:"

_KINDS: Final = {
    "values": _Kind("Values that change:", ("component", "now", "then"), _value, "values that were not compared"),
    "pieces": _Kind("Evidence that goes:", ("component", "seq", "told by", "value"), _piece, "pieces of evidence"),
    "rules": _Kind("Rules that are deleted:", ("component", "rule", "app"), _rule, "rules"),
    "notices": _Kind(
        "Rules have called these URLs because of it, which cannot be taken back:",
        ("time", "rule", "app", "call"),
        _notice,
        "calls of URLs",
    ),
    "elsewhere": _Kind(
        "Rules have told other people's models because of it. It goes there, too, where the rule may still tell:",
        ("person", "rule", "app", "component"),
        _reached,
        "tells to other people's models",
    ),
}
