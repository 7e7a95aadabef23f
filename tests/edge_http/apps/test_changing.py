"""What a person chooses on the page of an app, made into a slice."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from edge_http.apps.changing import DAY_S, chosen
from edge_http.sessions.forms import Form
from schemas.errors import Code, Refusal
from schemas.slices import Slice

FRIDAY = datetime(2026, 11, 27, 14, 0, tzinfo=UTC).timestamp()
OLD = Slice(paths=["Personal"], actions=["ask", "tell"], since=5.0, purpose="to greet you")


def form(*actions: str, **fields: str) -> Form:
    return Form({"actions": list(actions), **{name: [value] for name, value in fields.items()}})


def test_what_is_not_chosen_stays() -> None:
    """A form that says of the verbs what is there changes nothing."""
    assert chosen(form("ask", "tell"), OLD, FRIDAY) == OLD
    assert chosen(form("ask", "tell", since="keep", until="keep", how="keep"), OLD, FRIDAY) == OLD


def test_verbs_are_ticked_off() -> None:
    """They are denied then, so a wider slice does not bring them back. Who may not ask needs no limits of that."""
    assert chosen(form("tell"), OLD, FRIDAY) == Slice(
        paths=["Personal"], actions=["tell"], denied=["ask"], purpose="to greet you"
    )
    more = chosen(form("ask", "tell", "make"), Slice(paths=["Personal"], actions=["ask"], denied=["tell"]), FRIDAY)
    assert (more.actions, more.denied) == (["ask", "tell", "make"], [])


def test_only_from_now_on_or_all_again() -> None:
    """By when evidence came."""
    assert chosen(form("ask", since="now"), OLD, FRIDAY).since == FRIDAY
    assert chosen(form("ask", since="all"), OLD, FRIDAY).since is None


@pytest.mark.parametrize(("until", "days"), [("day", 1.0), ("week", 7.0), ("month", 30.0), ("sunday", 2 + 10 / 24)])
def test_until_when(until: str, days: float) -> None:
    """Days from now, or the midnight after Sunday in UTC."""
    assert chosen(form("ask", until=until), OLD, FRIDAY).expires == FRIDAY + days * DAY_S


def test_sunday_ends_by_the_persons_clock() -> None:
    """In New York five hours later; on a Sunday it is the same day; and an end can be taken back."""
    ends = chosen(form("ask", until="sunday"), OLD, FRIDAY, ZoneInfo("America/New_York")).expires
    assert ends == datetime(2026, 11, 30, 5, 0, tzinfo=UTC).timestamp()
    sunday = FRIDAY + 2 * DAY_S
    ending = chosen(form("ask", until="sunday"), OLD, sunday)
    assert ending.expires == sunday + 10 * 3600
    assert chosen(form("ask", until="never"), ending, FRIDAY).expires is None


def test_only_the_value() -> None:
    """By a resolver, or with what it was made from again."""
    bound = chosen(form("ask", how="value:sum"), OLD, FRIDAY)
    assert bound.resolver == "sum"
    assert chosen(form("ask", how="evidence"), bound, FRIDAY).resolver is None


@pytest.mark.parametrize("field", ["since", "until", "how", "actions"])
def test_what_is_no_choice_is_refused(field: str) -> None:
    """With the field's name."""
    fields = {"actions": ["ask"]} | {field: ["whatever"]}
    with pytest.raises(Refusal) as refused:
        chosen(Form(fields), OLD, FRIDAY)
    assert (refused.value.code, refused.value.error.field) == (Code.BAD_FIELD, field)
