"""Answers as text for people. Colours only where click finds a terminal."""

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from llum.cli import layout
from schemas.effects import DeadLetter
from schemas.errors import Refusal
from schemas.evidence import Evidence, Withdrawal
from schemas.explaining import Explanation, Reason, Skew
from schemas.paths import format_path
from schemas.replies import AskReply, ComponentAnswer, Rejection

MAX_CELL: Final = 60
"""Characters of one cell of a table; longer texts are cut with an ellipsis."""

REASONS: Final = {
    "filter": "not let through by the filter",
    "expired": "expired",
    "ahead": "not yet so: their time is still to come, or later than the one that was asked about",
    "goal_flag": "a wish: it carries the goal flag",
    "no_goal_flag": "not a wish: no goal flag",
    "older": "older",
    "no_permission": "not to be seen by the app that asks",
    "withdrawn": "withdrawn",
    "cause_withdrawn": "its reason was withdrawn",
    "outranked": "outranked by the owner's correction",
    "corrected": "corrected anew by the owner",
}

SUSPENSIONS: Final = {
    "imported": "suspended: imported",
    "no_right": "suspended: its app has lost a right that it needs",
}
"""Why a rule is not at work."""

ORIGINS: Final = {
    "ask": "named in the ask",
    "component": "set for the component",
    "context": "set for the context",
    "grant": "bound by the grant",
}


def as_json(value: Any) -> str:
    """Write a value as one line of JSON."""
    return msgspec.json.encode(value).decode()


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out rows in columns, or as lists where the terminal is too narrow."""
    cut = [[*map(in_cell, row[:-1]), row[-1]] for row in rows]
    return layout.whole_table(head, cut, layout.terminal_width())


def values_table(reply: AskReply) -> str:
    """Show the values of several components."""
    rows = [(component.path[-1], as_json(component.value), component.description) for component in reply.components]
    return table(("component", "value", "what it is"), rows)


def evidence_table(evidence: Sequence[Evidence], ahead: Iterable[tuple[int, int]] = ()) -> str:
    """Show pieces of evidence in their order. Those that are `ahead` (seq, n) do not count yet."""
    waiting = {*ahead}
    rows = [
        (_when(one, waiting), one.source, one.evidence_type, _name(one), ", ".join(one.flags), as_json(one.value))
        for one in evidence
    ]
    return table(("time", "told by", "type", "seq", "flags", "value"), rows)


def _when(one: Evidence, waiting: Set[tuple[int, int]]) -> str:
    ahead = " (ahead)" if (one.seq, one.n) in waiting else ""
    return moment(one.held_from) + ahead + (" (withdrawn)" if one.withdrawn is not None else "")


def rejections_table(rejections: Sequence[Rejection]) -> str:
    """Show refused commands."""
    rows = [
        (moment(one.time), one.app, one.verb, str(one.seq), one.error.code, one.error.field or "", one.error.message)
        for one in rejections
    ]
    return table(("time", "app", "verb", "seq", "code", "field", "message"), rows)


def dead_letters_table(letters: Sequence[DeadLetter]) -> str:
    """Show notices that were given up."""
    rows = [
        (moment(one.given_up), one.notice.user, one.notice.app, format_path(one.notice.path), one.reason)
        for one in letters
    ]
    return table(("given up", "user", "app", "component", "reason"), rows)


def tree(contexts: Mapping[str, Any], depth: int = 1) -> str:
    """Show a tree of contexts by indentation."""
    lines = []
    for name, below in contexts.items():
        lines.append("  " * depth + name)
        if below:
            lines.append(tree(below, depth + 1))
    return "\n".join(lines)


_Skews = Mapping[tuple[int, int], Skew]
"""By the seq and n of the evidence."""


def explanation(answer: ComponentAnswer) -> str:
    """Say in words why a component has its value."""
    why = answer.explanation
    assert why is not None, "an explanation was asked for"
    skews = {(skew.seq, skew.n): skew for skew in why.skews}
    lines = [_headline(why), *(f"  used: {_piece(one, skews)}" for one in why.used)]
    if not why.used:
        lines.append("  used: nothing, there is no evidence that counts")
    lines += [line for reason in why.left_out for line in _left_out(reason, skews)]
    return "\n".join(lines)


def moment(seconds: float) -> str:
    """Write a time in this machine's zone, and which that is: options for times take it back."""
    try:
        return datetime.fromtimestamp(seconds, UTC).astimezone().isoformat(" ", "seconds")
    except (ValueError, OverflowError, OSError):
        return f"{seconds:g}"


def in_zone(seconds: float, zone: str) -> str:
    """Write a time as clocks in a time zone show it, and which that is. Seconds stand there if there are any."""
    from bus.time_zones import zone_named

    try:
        at = datetime.fromtimestamp(seconds, zone_named(zone)).replace(tzinfo=None)
        return f"{at.isoformat(' ', 'seconds' if at.second else 'minutes')} {zone}"
    except (Refusal, ValueError, OverflowError, OSError):
        return moment(seconds)


def minute(seconds: float) -> str:
    """Write a time to the minute, as this machine's clock shows it. Options for times take it back, too."""
    try:
        return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return f"{seconds:g}"


def _headline(why: Explanation) -> str:
    resolver = f"resolver {why.resolver} ({ORIGINS.get(why.resolver_from, 'the default')})"
    right = "as owner" if why.grant == "owner" else f"by the permission at {why.grant or 'the root'}"
    return f"because {resolver} saw this evidence (filter {why.evidence_filter}), asked {right}:"


def _piece(one: Evidence, skews: _Skews) -> str:
    flags = f" flags {', '.join(one.flags)}" if one.flags else ""
    comment = f" ({in_cell(one.comment)})" if one.comment else ""
    what = f"{in_cell(as_json(one.value))}, {one.evidence_type}"
    both = _known(skews.get((one.seq, one.n)))
    told = f"{what}, told by {one.source} at {moment(one.held_from)}, seq {_name(one)}"
    return f"{told}{both}{flags}{comment}{because(one)}"


def because(one: Evidence) -> str:
    """Name what a rule has told a piece of evidence for, and what else it has read; empty: no rule has told it."""
    if one.rule is None or one.cause is None:
        return "" if one.rule is None else f", by rule {one.rule}"
    cause = one.cause
    place = path_text(cause.path) if cause.person is None else f"the model of {cause.person},"
    read = f", which also read {', '.join(map(in_cell, cause.read))}" if cause.read else ""
    return f", by rule {one.rule} because of {place} seq {piece_name(cause.seq, cause.n)}{read}"


def _known(skew: Skew | None) -> str:
    """Say when evidence with a time of its own became known."""
    if skew is None:
        return ""
    how = "later" if skew.skew_s >= 0 else "before that"
    flag = ": a large skew" if skew.large else ""
    return f", known since {moment(skew.known)} ({_span(abs(skew.skew_s))} {how}{flag})"


def _span(seconds: float) -> str:
    """Write a span of time in its largest unit."""
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def _left_out(reason: Reason, skews: _Skews) -> list[str]:
    lines = [f"  left out: {reason.count} {REASONS[reason.reason]}"]
    return lines + [f"    {_piece(one, skews)}" for one in reason.examples]


def _name(one: Evidence) -> str:
    return piece_name(one.seq, one.n)


def piece_name(seq: int, n: int) -> str:
    """Name a piece of evidence in its component, as the command line takes it."""
    return f"{seq}.{n}" if n else str(seq)


def withdrawal(mark: Withdrawal) -> str:
    """Say who took a piece of evidence back, or that its reason was."""
    return f"withdrawn by {mark.by}" if mark.cause is None else f"its reason was withdrawn by {mark.by}"


def in_cell(text: str) -> str:
    """Cut a text to what one cell of a table holds."""
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…"


def path_text(path: Sequence[str]) -> str:
    """Write a path so that the command line takes it back."""
    return format_path(list(path)) or "/"
