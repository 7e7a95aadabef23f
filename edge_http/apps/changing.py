"""What a person has chosen on a page, made into a slice: pure, so the pages that ask can be tested without any."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

import msgspec

from edge_http.sessions.forms import Form
from schemas.errors import Code, Refusal
from schemas.slices import ACTIONS, Slice

KEEP: Final = "keep"

DAY_S: Final = 86_400.0

UNTILS: Final = {
    "day": "for a day from now",
    "sunday": "until the end of Sunday",
    "week": "for a week from now",
    "month": "for 30 days from now",
}
"""How long something may last that is to end, by the value in the form."""

NEVER: Final = "never"
NOW: Final = "now"
ALL: Final = "all"
WITH_EVIDENCE: Final = "evidence"
VALUE_BY: Final = "value:"
"""Before the name of a resolver: the app gets its value alone."""


def chosen(form: Form, old: Slice, now: float, zone: tzinfo = UTC) -> Slice:
    """Give the slice that somebody wants in the place of another. What is not in the form stays. Raises `bad_field`.

    `now` is seconds since 1970; days end by the clock of `zone`.
    """
    wanted = set(form.all("actions"))
    if not wanted <= set(ACTIONS):
        raise Refusal(Code.BAD_FIELD, "what an app may do is one of " + ", ".join(ACTIONS), "actions")
    new = msgspec.structs.replace(
        old,
        actions=[action for action in ACTIONS if action in wanted],
        # What is ticked off is denied where a wider slice would allow it; what is ticked is not denied any more.
        denied=[action for action in ACTIONS if action in {*old.denied, *old.actions} - wanted],
        expires=_until(form.get("until", KEEP), old.expires, now, zone),
    )
    if "ask" not in wanted:
        return msgspec.structs.replace(
            new, resolver=None, view=None, resolvers=[], filters=[], datatypes=[], past=None, since=None
        )
    return msgspec.structs.replace(
        new, since=_since(form.get("since", KEEP), old.since, now), resolver=_how(form.get("how", KEEP), old.resolver)
    )


def _until(wanted: str, old: float | None, now: float, zone: tzinfo) -> float | None:
    if wanted == KEEP:
        return old
    if wanted == NEVER:
        return None
    if wanted == "sunday":
        return _end_of_sunday(now, zone)
    days = {"day": 1, "week": 7, "month": 30}.get(wanted)
    if days is None:
        raise _unknown("until")
    return now + days * DAY_S


def _end_of_sunday(now: float, zone: tzinfo) -> float:
    """Give the midnight after the Sunday that comes next, or is now."""
    today = datetime.fromtimestamp(now, zone)
    sunday = today.date() + timedelta(days=6 - today.weekday())
    return datetime.combine(sunday + timedelta(days=1), datetime.min.time(), zone).timestamp()


def _since(wanted: str, old: float | None, now: float) -> float | None:
    if wanted not in (KEEP, NOW, ALL):
        raise _unknown("since")
    return {KEEP: old, NOW: now, ALL: None}[wanted]


def _how(wanted: str, old: str | None) -> str | None:
    if wanted == KEEP:
        return old
    if wanted == WITH_EVIDENCE:
        return None
    if not wanted.startswith(VALUE_BY):
        raise _unknown("how")
    return wanted.removeprefix(VALUE_BY)


def _unknown(field: str) -> Refusal:
    return Refusal(Code.BAD_FIELD, "that is none of the choices", field, "load the page anew")
