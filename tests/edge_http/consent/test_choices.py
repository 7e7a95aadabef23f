"""What a person's choices on the page of consent mean. Nothing here needs a bus."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_http.consent.choices import (
    ALLOW,
    KEEP,
    ONLY_VALUE,
    REFUSE,
    SliceChoice,
    asked_choice,
    choice_in,
    chosen,
    view_option,
)
from edge_http.consent.covering import cover_of
from edge_http.consent.looking import sights
from edge_http.consent.seeming import name_warnings
from edge_http.consent.until import Until, end_of
from edge_http.consent.wording import limits_of, title_of
from edge_http.sessions.forms import Form
from identity.oauth.client import OAuthClient
from schemas.errors import Refusal
from schemas.granting import PreviewedAsk, PreviewedComponent, PreviewGrantReply
from schemas.slices import ACTIONS, Slice
from schemas.slicing import GrantPlace, settings_of

NOW = datetime(2031, 5, 1, 22, 30, tzinfo=UTC).timestamp()
"""A Thursday in London, and a Friday already in Amsterdam."""

ZONE = "Europe/Amsterdam"
DAY = view_option("day", "steps")
SPORT = Slice(paths=["Sport"], actions=["ask", "tell"], past=3600.0)


def one_chosen(one: Slice, choice: SliceChoice) -> Slice:
    [granted] = chosen([one], [choice], [[DAY, ONLY_VALUE]], NOW, ZONE).granted
    return granted


def local(seconds: float | None) -> str:
    assert seconds is not None
    return datetime.fromtimestamp(seconds, ZoneInfo(ZONE)).strftime("%a %d %H:%M")


@pytest.mark.parametrize(
    ("until", "ends"),
    [
        (Until("today"), "Sat 03 00:00"),
        (Until("sunday"), "Mon 05 00:00"),
        (Until("date", "2031-05-02"), "Sat 03 00:00"),
        (Until("date", "2031-05-31"), "Sun 01 00:00"),
    ],
)
def test_until_goes_by_the_persons_clock(until: Until, ends: str) -> None:
    """Half an hour after midnight in Amsterdam it is Friday there, whatever the server's clock says."""
    assert local(end_of(until, NOW, ZONE, "date")) == ends


@pytest.mark.parametrize("wrong", [Until("date", "2031-05-01"), Until("date", "soon"), Until("date"), Until("ever")])
def test_a_day_that_is_over_or_none_is_refused(wrong: Until) -> None:
    """Nothing lasts until yesterday."""
    with pytest.raises(Refusal) as refused:
        end_of(wrong, NOW, ZONE, "date-3")
    assert refused.value.error.field == "date-3"


def test_only_from_now_on_is_from_the_moment_of_the_preview() -> None:
    """Unless less was asked for."""
    assert one_chosen(SPORT, SliceChoice(actions=("ask",), from_now=True)).since == NOW
    later = Slice(paths=["Sport"], actions=["ask"], since=NOW + 5)
    assert one_chosen(later, SliceChoice(actions=("ask",), from_now=True)).since == NOW + 5


def test_until_never_lasts_longer_than_was_asked() -> None:
    """The earlier end counts."""
    short = Slice(paths=["Sport"], actions=["ask"], expires=NOW + 60)
    assert one_chosen(short, SliceChoice(actions=("ask",), until=Until("sunday"))).expires == NOW + 60


def test_limits_go_with_the_right_to_ask() -> None:
    """Who may only tell has nothing that could be limited."""
    granted = one_chosen(SPORT, SliceChoice(actions=("tell",), limit=DAY.value, from_now=True))
    assert granted == Slice(paths=["Sport"], actions=["tell"])


def test_a_view_or_a_value_alone() -> None:
    """As the page offers them."""
    assert one_chosen(SPORT, SliceChoice(actions=("ask",), limit=DAY.value)).view == "day"
    assert one_chosen(SPORT, SliceChoice(actions=("ask",), limit=ONLY_VALUE.value)).resolver == "default"


def test_what_the_page_has_not_offered_is_refused() -> None:
    """Whoever changes the form in its browser gets no other resolver."""
    with pytest.raises(Refusal):
        one_chosen(SPORT, SliceChoice(actions=("ask",), limit="resolver:all_of_it"))


def test_refused_and_kept_slices_are_not_granted() -> None:
    """What is refused is remembered as it was asked for; what stays as it is, is neither."""
    food = Slice(paths=["Food"], actions=["ask"])
    follows = chosen([SPORT, food], [SliceChoice(KEEP), SliceChoice(REFUSE)], [[], []], NOW, ZONE)
    assert follows == ([], [food])
    assert chosen([food], [SliceChoice(ALLOW, ())], [[]], NOW, ZONE).refused == [food], "no action is left"


FIELDS = st.dictionaries(
    st.sampled_from(["what-0", "actions-0", "limit-0", "from-now-0", "until-0", "date-0"]),
    st.lists(
        st.sampled_from([*ACTIONS, "allow", "keep", "1", "today", "date", "2031-06-01", DAY.value, ""]), max_size=3
    ),
)


@given(FIELDS)
def test_no_form_gives_more_than_was_asked_for(fields: dict[str, Sequence[str]]) -> None:
    """Whatever stands in it."""
    try:
        choice = choice_in(Form({name: list(values) for name, values in fields.items()}), 0, SPORT)
        follows = chosen([SPORT], [choice], [[DAY, ONLY_VALUE]], NOW, ZONE)
    except Refusal:
        return
    assert all(cover_of(one, [SPORT]) == "all" for one in follows.granted)


@pytest.mark.parametrize(
    ("asked", "current", "cover"),
    [
        (SPORT, [], "none"),
        (SPORT, [SPORT], "all"),
        (SPORT, [Slice(paths=[""], actions=["ask", "tell"], past=7200.0)], "all"),
        (SPORT, [Slice(paths=["Sport"], actions=["ask"], past=3600.0)], "none"),
        (SPORT, [Slice(paths=["Sport"], actions=["ask", "tell"])], "narrower"),
        (SPORT, [Slice(paths=["Sport"], actions=["ask", "tell"], past=3600.0, since=5.0)], "narrower"),
        (SPORT, [Slice(paths=["Sport"], actions=["ask", "tell"], past=3600.0, expires=NOW)], "narrower"),
        (SPORT, [Slice(paths=["Sport"], actions=["ask", "tell"], past=3600.0, view="day")], "narrower"),
        (Slice(components=["Sport/steps"], actions=["ask"]), [SPORT], "all"),
        (Slice(paths=["Sport"], actions=["ask"]), [Slice(components=["Sport/steps"], actions=["ask"])], "none"),
        (Slice(paths=["Sport", "Food"], actions=["tell"]), [SPORT], "none"),
    ],
)
def test_what_an_app_has_already(asked: Slice, current: list[Slice], cover: str) -> None:
    """All of a slice, less of it, or nothing."""
    assert cover_of(asked, current) == cover


LOG = OAuthClient(id="log", name="Log llum")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("L\u043eg llum", "looks like that of another app here: Log llum"),
        ("Log IIum", "looks like that of another app here: Log llum"),
        ("Log llum", "Another app here is called Log llum, too"),
        ("llum", "It calls itself llum"),
        ("LIum", "It calls itself llum"),
        ("llum Security", "It calls itself llum"),
    ],
)
def test_names_that_deceive_are_pointed_out(name: str, said: str) -> None:
    """To the person, in words."""
    found = name_warnings(OAuthClient(id="evil", name=name), [LOG])
    assert any(said in one for one in found), found


@pytest.mark.parametrize("name", ["Log llum", "Steps", "\u6b69\u6570", "\u0416\u0443\u0440\u043d\u0430\u043b"])
def test_honest_names_are_not(name: str) -> None:
    """Nor is a client itself among the others."""
    assert name_warnings(OAuthClient(id="log", name=name), [LOG]) == []


def test_each_value_stands_under_the_slice_that_it_comes_by() -> None:
    """A component's own slice before its context's, the nearest context before those around it."""
    slices = [
        Slice(paths=[""], actions=["ask"]),
        Slice(paths=["Sport"], actions=["ask"]),
        Slice(components=["Sport/steps"], actions=["ask"]),
        Slice(paths=["Sport/Running"], actions=["tell"]),
    ]
    steps, weight = (PreviewedComponent(path=["Sport", name]) for name in ("steps", "weight"))
    asks = [
        PreviewedAsk(context=["Food"], components=[PreviewedComponent(path=["Food", "apples"], value=3)]),
        PreviewedAsk(context=["Sport"], components=[steps, weight], more=2),
        PreviewedAsk(context=["Sport", "Running"], components=[PreviewedComponent(path=["Sport", "Running", "pace"])]),
    ]
    found = sights(PreviewGrantReply(seq=1, time=2.0, asks=asks), slices)
    names = [[(context.name, [one.name for one in context.values]) for context in sight.contexts] for sight in found]
    assert names == [
        [("Food", ["apples"])],
        [("Sport", ["weight"]), ("Sport / Running", ["pace"])],
        [("Sport", ["steps"])],
        [],
        [],
    ]
    assert found[1].contexts[0].more == 2


def test_a_slice_in_words() -> None:
    """As people read it."""
    one = Slice(paths=["Sport/Run~1walk"], components=["Food/apples"], actions=["ask"], past=86_400.0, since=5.0)
    assert title_of(one) == "Sport / Run/walk, Food / apples"
    assert limits_of(one, str) == ["Also how it was, up to 1 day ago", "Only what is told after 5.0"]
    assert title_of(Slice(paths=["", "Food"], actions=["ask"])) == "Your whole model"


def test_what_is_refused_is_denied_where_it_would_be_given_around() -> None:
    """Of contexts, components and rules alike; not where nothing is given, nor what another slice allows there."""
    asked = [
        Slice(paths=[""], actions=["ask"]),
        Slice(paths=["Sport"], actions=["ask", "tell"]),
        Slice(components=["Sport/steps"], actions=["ask"]),
        Slice(paths=["Food"], actions=["ask"]),
        Slice(paths=["Food"], actions=["ask"], purpose="to count"),
        Slice(paths=["Sport"], actions=["ask"], whose_rules="bob"),
    ]
    whats = [ALLOW, REFUSE, REFUSE, ALLOW, REFUSE, REFUSE]
    choices = [asked_choice(one)._replace(what=what) for one, what in zip(asked, whats, strict=True)]
    follows = chosen(asked, choices, [[] for _ in asked], 0.0, "UTC")
    assert follows.granted == [
        asked[0],
        asked[3],
        Slice(paths=["Sport"], denied=["ask"]),
        Slice(components=["Sport/steps"], denied=["ask"]),
    ]
    assert follows.refused == [one for one, what in zip(asked, whats, strict=True) if what == REFUSE]


def test_what_is_ticked_off_is_denied_where_it_would_be_given_around() -> None:
    """Beside what is allowed in the same place, for as long as that."""
    asked = [Slice(paths=[""], actions=["ask", "tell"]), Slice(paths=["Sport"], actions=["ask", "tell"], expires=9e9)]
    choices = [asked_choice(asked[0]), asked_choice(asked[1])._replace(actions=("tell",))]
    follows = chosen(asked, choices, [[], []], 0.0, "UTC")
    sport = settings_of(follows.granted)[GrantPlace(("Sport",))]
    assert (sport.ask, sport.tell, sport.expires) == (False, True, 9e9)
    assert follows.refused == []
