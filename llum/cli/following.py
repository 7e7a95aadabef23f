"""What has followed from a piece of evidence, in words."""

from collections.abc import Iterator

from llum.cli import layout, render
from schemas.app_names import app_name
from schemas.asked import AskedRow
from schemas.following import FiredRule, FollowsReply, ToldValue

_NOTHING = "Nothing has followed from it, and nobody has asked for it since."


def in_words(reply: FollowsReply, width: int | None) -> str:
    """Say all of it, a table for each kind of thing; `width` are the cells of a line, None: nothing is cut."""
    return "\n\n".join(_parts(reply, width)) or _NOTHING


def _parts(reply: FollowsReply, width: int | None) -> Iterator[str]:
    notices = [
        (render.moment(one.time), one.rule, app_name(one.app), f"{one.method} {one.url}") for one in reply.notices
    ]
    elsewhere = [(one.person, one.rule, app_name(one.app), render.path_text(one.path)) for one in reply.elsewhere]
    tables = (
        (
            "Values that rules have told because of it:",
            ("component", "seq", "because of", "told by", "value", ""),
            [*map(_value, reply.values)],
        ),
        ("By these rules:", ("component", "rule", "app", "statement"), [*map(_rule, reply.rules)]),
        ("They have called these URLs:", ("time", "rule", "app", "call"), notices),
        ("They have told other people's models:", ("person", "rule", "app", "component"), elsewhere),
        ("Who has asked since:", ("last", "app", "times", "what"), [*map(_asked, reply.asked)]),
    )
    for title, head, rows in tables:
        if rows:
            cells = [[render.in_cell(cell) for cell in row] for row in rows]
            yield f"{layout.paragraph(title, width)}\n{layout.whole_table(head, cells, width)}"
    if reply.more:
        yield "There is more than is shown."


def _value(one: ToldValue) -> tuple[str, ...]:
    teller = app_name(one.source) + (f", rule {one.rule}" if one.rule else "")
    return (
        render.path_text(one.path),
        render.piece_name(one.seq, one.n),
        render.piece_name(one.cause.seq, one.cause.n),
        teller,
        render.as_json(one.value),
        "" if one.withdrawn is None else render.withdrawal(one.withdrawn),
    )


def _rule(one: FiredRule) -> tuple[str, ...]:
    return render.path_text(one.path), one.token, app_name(one.app), one.statement or "(deleted)"


def _asked(row: AskedRow) -> tuple[str, ...]:
    place = render.path_text(row.path) or "the whole model"
    whose = "" if row.rule_of is None else f" for a rule in the model of {row.rule_of}"
    return render.minute(row.last), app_name(row.app), str(row.count), f"{row.verb} {place}{whose}"
