"""What would follow if something went, in words: for whoever is about to let it go."""

from collections.abc import Iterator, Sequence

from llum.cli import layout, render
from schemas.app_names import app_name
from schemas.consequences import ChangedValue, GoingPiece, GoingRule
from schemas.replies import ConsequencesReply

_UNCOUNTED = {"values": "values that were not compared", "pieces": "pieces of evidence", "rules": "rules"}


def is_more(reply: ConsequencesReply, than_pieces: int = 1) -> bool:
    """Tell whether more goes than so many pieces of evidence: with a component, what was not in it."""
    return len(reply.pieces) > than_pieces or bool(reply.rules) or reply.cut is not None


def in_words(reply: ConsequencesReply, width: int | None) -> str:
    """Say all of it, a table for each kind of thing; `width` are the cells of a line, None: nothing is cut."""
    return "\n\n".join(_parts(reply, width)) or "No value changes, and nothing else goes."


def _parts(reply: ConsequencesReply, width: int | None) -> Iterator[str]:
    if reply.values:
        yield _titled("Values that change:", ("component", "now", "then"), map(_value, reply.values), width)
    else:
        yield "No value changes."
    if reply.pieces:
        yield _titled("Evidence that goes:", ("component", "seq", "told by", "value"), map(_piece, reply.pieces), width)
    if reply.rules:
        yield _titled("Rules that are deleted:", ("component", "rule", "app"), map(_rule, reply.rules), width)
    if reply.cut is not None:
        rest = [f"{getattr(reply.cut, name)} {what}" for name, what in _UNCOUNTED.items() if getattr(reply.cut, name)]
        yield layout.paragraph(f"And more than is shown: {', '.join(rest)}.", width)


def _titled(title: str, head: Sequence[str], rows: "map[tuple[str, ...]]", width: int | None) -> str:
    return f"{title}\n{layout.whole_table(head, [[render.in_cell(cell) for cell in row] for row in rows], width)}"


def _value(one: ChangedValue) -> tuple[str, ...]:
    before = render.as_json(one.before) if one.error_before is None else f"({one.error_before.code})"
    after = render.as_json(one.after) if one.error_after is None else f"({one.error_after.code})"
    return render.path_text(one.path), before, "(deleted)" if one.goes else after


def _piece(one: GoingPiece) -> tuple[str, ...]:
    teller = app_name(one.source) + (f", rule {one.rule}" if one.rule else "")
    return render.path_text(one.path), render.piece_name(one.seq, one.n), teller, render.as_json(one.value)


def _rule(one: GoingRule) -> tuple[str, ...]:
    return render.path_text(one.path), one.token, app_name(one.app)
