"""Slices: what they say as settings, and settings said as slices."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import Code, Refusal
from schemas.permissions import AS_TELL, VERBS, Permission, said
from schemas.scopes import format_details, format_scope, parse_details, parse_scope
from schemas.slices import ACTIONS, Action, Slice
from schemas.slicing import GrantPlace, checked, settings_of, slices_of

paths = st.sampled_from(["", "a", "a/b", "a/b/c", "d", "e~1f"])
limits = st.fixed_dictionaries(
    {},
    optional={
        "resolver": st.sampled_from(["recent", "count"]),
        "resolvers": st.lists(st.sampled_from(["goal", "mean"]), unique=True, max_size=2).map(sorted),
        "filters": st.sampled_from([["last1"], []]),
        "datatypes": st.lists(st.sampled_from(["explicit", "inferred"]), unique=True, max_size=2).map(sorted),
        "past": st.sampled_from([60.0, 3600.0]),
        "since": st.sampled_from([5.0, 7.0]),
    },
)


@st.composite
def any_slice(draw: st.DrawFn) -> Slice:
    person = draw(st.sampled_from([None, None, "bob"]))
    usable: Sequence[Action] = ACTIONS if person is None else ("ask", "tell")
    actions = draw(st.lists(st.sampled_from(usable), unique=True))
    denied = draw(st.lists(st.sampled_from([one for one in ACTIONS if one not in actions] or ["ask"]), max_size=2))
    denied = [one for one in denied if one not in actions]
    where = draw(st.sampled_from(["paths", "components"]))
    place = draw(paths.filter(bool) if where == "components" else paths)
    return Slice(
        **{where: [place]},
        actions=actions if actions or denied else ["ask"],
        denied=denied,
        whose_rules=person,
        purpose=draw(st.sampled_from([None, "to count"])),
        expires=draw(st.sampled_from([None, 9e9])),
        **(draw(limits) if "ask" in actions else {}),
    )


def place_of(one: Slice) -> tuple[object, ...]:
    return one.paths, one.components, one.whose_rules


grants = st.lists(any_slice(), max_size=6, unique_by=lambda one: str(place_of(one)))


@given(grants)
def test_settings_come_back_from_their_slices(slices: list[Slice]) -> None:
    """A grant is said as slices, and those are granted again: it is the same grant."""
    settings = settings_of(checked(slices, "granted"))
    there_again = settings_of(checked(slices_of(settings), "granted"))
    for place in {*settings, *there_again}:
        for part in (*VERBS, "since", "past", "types", "resolvers", "filters", "bind_resolver"):
            if part in VERBS or effective(settings, place, "ask"):
                assert effective(settings, place, part) == effective(there_again, place, part), (place, part)


@given(grants)
def test_what_is_said_of_settings_is_steady(slices: list[Slice]) -> None:
    """Slices that were made of settings say exactly those settings, and are made of them again."""
    said_once = slices_of(settings_of(checked(slices, "granted")))
    assert slices_of(settings_of(checked(said_once, "granted"))) == said_once


@given(grants)
def test_details_come_back_from_their_json(slices: list[Slice]) -> None:
    """What a client sends is what it is told."""
    normal = checked(slices, "granted")
    assert parse_details(format_details(normal)) == normal


def effective(settings: dict[GrantPlace, Permission], place: GrantPlace, part: str) -> object:
    """Look a part up as a model does; what says that there is no limit is none."""
    for at in (place, *place.wider()):
        setting = settings.get(at)
        if setting is not None and (value := said(setting, part)) is not None:
            return value or None
    return None


def test_a_slice_that_lets_an_app_tell_lets_it_do_nothing_else() -> None:
    """A setting that said `tell` alone would let the app make, delete and have rules."""
    (setting,) = settings_of([Slice(paths=["Sport"], actions=["tell"])]).values()
    assert [verb for verb in VERBS if said(setting, verb)] == ["tell"]


def test_a_slice_that_lets_an_app_ask_says_every_limit() -> None:
    """So none of a wider place counts: the root's are not those of Sport."""
    settings = settings_of(
        [Slice(paths=[""], actions=["ask"], since=5.0, resolver="count"), Slice(paths=["Sport"], actions=["ask"])]
    )
    assert effective(settings, GrantPlace(("Sport",)), "since") is None
    assert settings[GrantPlace(("Sport",))].since == 0
    assert settings[GrantPlace(("Sport",))].bind_resolver == ""


def test_verbs_of_wider_places_add_up() -> None:
    """`ask:Personal tell:Personal/Sport` lets an app ask Sport, too; to tell there takes nothing away."""
    asked = parse_scope("ask:Personal make:Personal tell:Personal/Sport").slices
    settings = settings_of(asked)
    sport = GrantPlace(("Personal", "Sport"))
    assert [verb for verb in VERBS if effective(settings, sport, verb)] == ["ask", "tell", "make"]


def test_a_part_of_what_is_granted_can_be_denied() -> None:
    """All of the model, but not Health."""
    slices = [Slice(paths=[""], actions=list(ACTIONS)), Slice(paths=["Health"], denied=list(ACTIONS))]
    settings = settings_of(slices)
    assert not any(effective(settings, GrantPlace(("Health",)), verb) for verb in VERBS)
    assert slices_of(settings) == slices


def test_a_grant_beside_another_keeps_what_that_says() -> None:
    """What an app may do around the place is known: to tell there does not take `make` away."""
    around = {GrantPlace(()): Permission(make=True)}
    (setting,) = settings_of([Slice(paths=["Sport"], actions=["tell"])], around).values()
    assert setting.make
    assert [verb for verb in AS_TELL if getattr(setting, verb)] == ["make"]


def test_settings_of_other_making_are_said_with_what_counts() -> None:
    """Part by part, as the operator sets them: a limit of the root counts in Sport, which says nothing of it."""
    settings = {
        GrantPlace(()): Permission(tell=True, since=5.0),
        GrantPlace(("Sport",)): Permission(ask=True),
        GrantPlace(("Sport", "steps"), is_component=True): Permission(past=60.0),
    }
    assert slices_of(settings) == [
        Slice(paths=[""], actions=["tell", "make", "delete", "rules"]),
        Slice(paths=["Sport"], actions=["ask"], since=5.0),
        Slice(components=["Sport/steps"], actions=["ask"], since=5.0, past=60.0),
    ]


def test_two_slices_of_one_place_are_one() -> None:
    """Where they say the same of how an app may ask."""
    slices = [Slice(paths=["Sport"], actions=["ask"], since=5.0), Slice(paths=["Sport"], actions=["tell"])]
    assert settings_of(slices) == settings_of([Slice(paths=["Sport"], actions=["ask", "tell"], since=5.0)])


REFUSED = {
    "no place": ([Slice(actions=["ask"])], "granted[0].paths"),
    "no action": ([Slice(paths=["a"])], "granted[0].actions"),
    "both": ([Slice(paths=["a"], actions=["ask"], denied=["ask"])], "granted[0].denied"),
    "a bad path": (
        [Slice(paths=["a"], actions=["ask"]), Slice(paths=["a/.."], actions=["ask"])],
        "granted[1].paths[0][1]",
    ),
    "the root as a component": ([Slice(components=[""], actions=["ask"])], "granted[0].components[0]"),
    "a limit of nothing": ([Slice(paths=["a"], actions=["tell"], since=5.0)], "granted[0].since"),
    "a view of a component": ([Slice(components=["a/b"], actions=["ask"], view="v")], "granted[0].view"),
    "a view with a path": ([Slice(paths=["a"], actions=["ask"], view="..")], "granted[0].view"),
    "a person of another form": ([Slice(paths=["a"], actions=["ask"], whose_rules="B b")], "granted[0].whose_rules"),
    "two limits": (
        [Slice(paths=["a"], actions=["ask"], since=5.0), Slice(paths=["/a/"], actions=["ask"])],
        "granted[1].since",
    ),
    "two ends": (
        [Slice(paths=["a"], actions=["ask"]), Slice(paths=["a"], actions=["tell"], expires=5.0)],
        "granted[1].expires",
    ),
    "yes and no": (
        [Slice(paths=["a"], actions=["ask"]), Slice(paths=["a"], denied=["ask"])],
        "granted[1].denied",
    ),
    "too many": ([Slice(paths=["a"], actions=["ask"])] * 65, "granted"),
    "too many places": ([Slice(paths=[f"a{n}" for n in range(257)], actions=["ask"])], "granted"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_slice_that_makes_no_sense_is_refused(case: str) -> None:
    """With the field that is wrong."""
    slices, field = REFUSED[case]
    with pytest.raises(Refusal) as caught:
        checked(slices, "granted")
    assert caught.value.error.field == field


@pytest.mark.parametrize(
    ("text", "code", "field"),
    [
        ("", Code.MALFORMED, "authorization_details"),
        ("{}", Code.BAD_FIELD, "authorization_details"),
        ("[1]", Code.BAD_FIELD, "authorization_details"),
        ("\ud800", Code.MALFORMED, "authorization_details"),
        ('[{"a":' * 2000, Code.TOO_DEEP, "authorization_details"),
        (" " * 70_000, Code.TOO_LARGE, "authorization_details"),
        ('[{"paths":["a"]}]', Code.BAD_FIELD, "authorization_details[0].type"),
        ('[{"type":"payment"}]', Code.BAD_FIELD, "authorization_details[0].type"),
        ('[{"type":"llum_model","paths":"a"}]', Code.BAD_FIELD, "authorization_details[0].paths"),
        ('[{"type":"llum_model","actions":["fly"]}]', Code.BAD_FIELD, "authorization_details[0].actions[0]"),
        ('[{"type":"llum_model","pathes":["a"]}]', Code.BAD_FIELD, "authorization_details[0].pathes"),
    ],
)
def test_details_that_are_none_are_refused(text: str, code: Code, field: str) -> None:
    """With a code, the field, and what to send."""
    with pytest.raises(Refusal) as caught:
        parse_details(text)
    assert (caught.value.error.code, caught.value.error.field) == (code, field)


def test_scopes_are_slices() -> None:
    """One for each context, with the verbs in their order."""
    found = parse_scope("tell:Apps/Logging ask:Personal ask:Apps/Logging")
    assert found.slices == [
        Slice(paths=["Apps/Logging"], actions=["ask", "tell"]),
        Slice(paths=["Personal"], actions=["ask"]),
    ]
    assert not found.owner
    assert format_scope(found.slices) == "ask:Apps/Logging tell:Apps/Logging ask:Personal"


def test_the_whole_model_is_a_scope_and_to_be_an_owner_another() -> None:
    """`model` is every verb; `owner` is no slice."""
    found = parse_scope("model owner")
    assert found == ([Slice(paths=[""], actions=list(ACTIONS))], True)
    assert format_scope(*found) == "model owner"
    assert format_scope([Slice(paths=[""], actions=["ask"])]) == "ask:/"
    assert parse_scope("ask:/").slices == parse_scope("ask:").slices == [Slice(paths=[""], actions=["ask"])]


@given(st.sampled_from(["a b", 'My "house"', "50%", "back\\slash", "Größe", "名前", "a/b:c", "x%2Fy"]))
def test_names_of_any_kind_fit_into_a_scope(name: str) -> None:
    """What a scope may not hold is percent-encoded."""
    slices = checked([Slice(components=[], paths=[name.replace("/", "~1")], actions=["ask"])], "granted")
    scope = format_scope(slices)
    assert all(character.isascii() and character.isprintable() and character not in ' "\\' for character in scope)
    assert parse_scope(scope).slices == slices


@pytest.mark.parametrize(
    "scope", ["openid", "ask", "ask;a", "fly:a", "ask:a\\b", 'ask:"a"', "ask:%ff", "ask:a/..", "ask:ä"]
)
def test_a_scope_that_there_is_not_is_refused(scope: str) -> None:
    """With a word of what there is."""
    with pytest.raises(Refusal) as caught:
        parse_scope(f"ask:Personal {scope}")
    assert caught.value.error.field is not None
    assert caught.value.error.field.startswith("scope")


def test_components_and_rules_elsewhere_are_in_no_scope() -> None:
    """Only the slices themselves say them."""
    slices = [Slice(components=["a/b"], actions=["ask"]), Slice(paths=["a"], actions=["tell"], whose_rules="bob")]
    assert format_scope(slices) == ""


@pytest.mark.parametrize("purpose", ["to \u202egnitirw\u202c", "to\u200bcount", "to\x00count"])
def test_a_purpose_holds_nothing_that_cannot_be_seen(purpose: str) -> None:
    """The page of consent quotes it."""
    with pytest.raises(Refusal) as caught:
        parse_details(format_details([Slice(paths=["a"], actions=["ask"], purpose=purpose)]))
    assert (caught.value.code, caught.value.error.field) == (Code.BAD_FIELD, "authorization_details[0].purpose")


@pytest.mark.parametrize(("own", "around", "goes_on"), [(None, 9e9, False), (9e9, 8e9, False), (8e9, 9e9, True)])
def test_what_a_wider_place_allows_ends_with_it(own: float | None, around: float, goes_on: bool) -> None:
    """Who may tell in a place keeps none of what was allowed around it for a shorter time."""
    wide = Slice(paths=["a"], actions=["make", "delete", "rules"], expires=around)
    settings = settings_of([wide, Slice(paths=["a/b"], actions=["tell"], expires=own)])
    inner = settings[GrantPlace(("a", "b"))]
    assert [said(inner, verb) for verb in sorted(AS_TELL)] == [goes_on] * 3
    later = {place: one for place, one in settings.items() if one.expires != around}
    assert [one.actions for one in slices_of(later)] == [["tell", *wide.actions] if goes_on else ["tell"]]
