"""What an app would see under a grant is what it then gets: at one sequence and time, and nothing has changed."""

from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.queries import preview as queries_preview
from model.reads import Read
from schemas.commands import Correct, MakeView, Tell
from schemas.definitions import ViewDefinition
from schemas.errors import Code, Refusal
from schemas.evidence import NewEvidence
from schemas.granting import PreviewedComponent, PreviewGrantReply
from schemas.grants import Consent
from schemas.queries import Ask, AskForRule, PreviewGrant
from schemas.slices import Slice
from schemas.slicing import checked
from tests.effort import EFFORT

from .given import START_US, Person, picture

PERSONAL = Slice(paths=["Personal"], actions=["ask"])
ALL = Slice(paths=[""], actions=["ask"])


def lived() -> Person:
    """A person who has been told a few things."""
    person = Person()
    person.tell("firstname", "Al")
    person.tell("age", 40)
    person.tell("age", 41)
    return person


def preview(person: Person, *granted: Slice, app: str = "probe", **more: Any) -> PreviewGrantReply:
    now = more.pop("now", person.now)
    reply = person.answered(PreviewGrant(app=app, granted=list(granted), **more), now=now)
    assert isinstance(reply, PreviewGrantReply)
    return reply


def values(reply: PreviewGrantReply) -> dict[str, Any]:
    """Give what would be seen by path; of what could not be had its code."""
    return {
        "/".join(one.path): one.value if one.error is None else one.error.code
        for ask in reply.asks
        for one in ask.components
    }


def test_the_values_are_shown_with_how_much_is_behind_them() -> None:
    """Of each place the contexts below it, each once."""
    person = lived()
    reply = preview(person, PERSONAL, ALL)
    assert [ask.context for ask in reply.asks] == [["Personal"], [], ["Goals"], ["Goals", "Health"]]
    assert values(reply)["Personal/age"] == 41
    ages = [one for ask in reply.asks for one in ask.components if one.path[-1] == "age"]
    assert ages == [PreviewedComponent(path=["Personal", "age"], value_type="number", value=41, evidence=2)]
    assert (reply.seq, reply.empty, reply.more_components, reply.more_contexts) == (person.live.seq, False, 0, 0)


def test_a_narrowed_slice_shows_what_it_is_narrowed_to() -> None:
    """A resolver's value alone, a view, a single component."""
    person = lived()
    counted = preview(person, msgspec.structs.replace(PERSONAL, resolver="count"))
    assert values(counted)["Personal/age"] == 2
    view = preview(person, msgspec.structs.replace(PERSONAL, view="fullname"))
    assert values(view) == {"Personal/lastname": None, "Personal/firstname": "Al"}
    single = preview(person, Slice(components=["Personal/age", "Personal/not", "Not/there"], actions=["ask"]))
    assert values(single) == {
        "Personal/age": 41,
        "Personal/not": Code.NO_SUCH_COMPONENT,
        "Not/there": Code.NO_SUCH_CONTEXT,
    }


def test_a_slice_that_asks_nothing_shows_nothing() -> None:
    """Nor does one of a place that is not there: that is said."""
    assert preview(lived(), Slice(paths=[""], actions=["tell"])).asks == []
    (there,) = preview(lived(), Slice(paths=["Not"], actions=["ask"])).asks
    assert there.error is not None
    assert there.error.code is Code.NO_SUCH_CONTEXT


def test_only_from_now_on_is_empty_and_says_so() -> None:
    """`since` is the moment of an earlier preview; what is told after it is seen."""
    person = lived()
    at = preview(person, PERSONAL).time
    from_now = msgspec.structs.replace(PERSONAL, since=at)
    reply = preview(person, from_now)
    assert reply.empty
    assert set(values(reply).values()) == {None}
    assert preview(person, from_now, limit=1).empty
    person.tell("age", 42)
    later = preview(person, from_now)
    assert (later.empty, values(later)["Personal/age"]) == (False, 42)


def test_the_moment_is_later_than_all_evidence() -> None:
    """Also if the clock that stamped the evidence is ahead of the worker's."""
    person = lived()
    early = START_US / 1e6
    at = preview(person, PERSONAL, now=early).time
    assert at > person.live.time_us / 1e6
    assert preview(person, msgspec.structs.replace(PERSONAL, since=at), now=early).empty


def test_what_the_app_may_do_already_counts_or_is_replaced() -> None:
    """`allowed` adds to it; `changed` is all of it."""
    person = lived()
    person.register("probe")
    person.permit("probe", component=None, ask=False)
    person.permit("probe", "Personal", component="age", ask=False)
    added = preview(person, PERSONAL)
    assert "Personal/age" not in values(added)
    changed = preview(person, PERSONAL, decision="changed")
    assert values(changed)["Personal/age"] == 41


def test_an_owners_app_would_see_all() -> None:
    """Whatever slices it names."""
    reply = preview(lived(), PERSONAL, role="owner")
    assert reply.asks[0].context == []
    assert values(reply)["Personal/age"] == 41


def test_what_rules_in_another_model_would_read_is_shown_as_theirs() -> None:
    """The app itself sees nothing by that."""
    (ask,) = preview(lived(), Slice(components=["Personal/age"], actions=["ask"], whose_rules="bob")).asks
    assert (ask.whose_rules, [one.value for one in ask.components]) == ("bob", [41])


def test_what_there_is_no_room_for_is_counted() -> None:
    """Of each place, and of all together; contexts beyond a thousand are counted only."""
    person = lived()
    whole, reply = preview(person, ALL), preview(person, ALL, limit=2)
    every = [len(ask.components) for ask in whole.asks]
    assert [len(ask.components) + ask.more for ask in reply.asks] == every
    assert (len(values(reply)), reply.more_components, reply.more_contexts) == (2, sum(every) - 2, 0)
    assert not reply.empty
    with patch.object(queries_preview, "MAX_ASKS", 2):
        reply = preview(person, ALL)
    assert (len(reply.asks), reply.more_contexts) == (2, len(every) - 2)
    with patch.object(queries_preview, "_ROOM", 0):
        reply = preview(person, ALL)
    assert (values(reply), reply.more_components) == ({}, sum(every))


def test_nothing_has_changed() -> None:
    """Neither the model nor what is remembered; the app is not there afterwards."""
    person = lived()
    before, grants, latest = picture(person.model), dict(person.caches.grants), dict(person.caches.latest.ready)
    preview(person, ALL)
    assert picture(person.model) == before
    assert (person.caches.grants, person.caches.latest.ready) == (grants, latest)
    assert person.refuses_ask(Ask(), "probe").code is Code.PERMISSION_DENIED


def test_commands_that_come_meanwhile_do_not_count() -> None:
    """All asks are planned before the first read."""
    person = lived()
    begun = person.begin(PreviewGrant(app="probe", granted=[ALL]))
    need: Any = next(begun)
    person.tell("age", 99)

    def meet(one: Any) -> Any:
        assert not isinstance(one, Read)
        return person.store.meet(one)

    met, reply = need, None
    while reply is None:
        try:
            met = begun.send(meet(met))
        except StopIteration as done:
            reply = done.value
    assert values(reply)["Personal/age"] == 41
    assert reply.seq == person.live.seq - 1


def test_only_an_owner_asks_with_a_grant_that_is_not_stored() -> None:
    """Not the app itself."""
    person = lived()
    person.register("probe", ask=True)
    error = person.refuses_ask(PreviewGrant(app="probe", granted=[ALL]), "probe")
    assert (error.code, error.missing) == (Code.PERMISSION_DENIED, None)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (PreviewGrant(app="No app", granted=[ALL]), Code.BAD_FIELD),
        (PreviewGrant(app="probe", granted=[Slice(actions=["ask"])]), Code.BAD_FIELD),
        (PreviewGrant(app="probe", granted=[ALL], decision="changed"), Code.NO_SUCH_APP),
        (PreviewGrant(app="probe", granted=[Slice(paths=[""], actions=["ask"], expires=5.0)]), Code.BAD_FIELD),
    ],
)
def test_what_refuses_the_consent_refuses_its_preview(query: PreviewGrant, code: Code) -> None:
    """With the same error."""
    person = lived()
    error = person.refuses_ask(query)
    assert error.code is code
    command = Consent(id="c", app=query.app, granted=query.granted, decision=query.decision)
    assert person.refuses(command) == error


COMPONENTS = ["firstname", "age", "anything"]
TIMES = st.integers(0, 40).map(lambda seconds: START_US / 1e6 + seconds)
TYPES = st.sampled_from(["explicit", "explicit", "implicit"])
STEPS = st.tuples(
    st.sampled_from(COMPONENTS), st.integers(0, 3), st.sampled_from(["llum", "probe"]), TYPES,
    st.sampled_from([[], ["goal"]]), st.one_of(st.none(), TIMES), st.sampled_from([False, False, True]),
)  # fmt: skip
SLICES = st.builds(
    Slice,
    paths=st.lists(st.sampled_from(["", "Personal", "Goals", "Goals/Health", "Not"]), max_size=2),
    components=st.lists(st.sampled_from(["Personal/age", "Personal/firstname", "Personal/not", "x/y"]), max_size=2),
    actions=st.lists(st.sampled_from(["ask", "ask", "tell"]), min_size=1, max_size=2),
    denied=st.sampled_from([[], [], ["make"]]),
    resolver=st.sampled_from([None, None, "count", "goal", "unknown"]),
    view=st.sampled_from([None, None, "fullname", "mixed", "none"]),
    resolvers=st.sampled_from([[], [], ["count"]]),
    datatypes=st.sampled_from([[], [], ["implicit"], ["explicit", "inferred"]]),
    past=st.sampled_from([None, 60.0]),
    since=st.one_of(st.none(), TIMES),
    whose_rules=st.sampled_from([None, None, None, "bob"]),
    expires=st.sampled_from([None, None, START_US / 1e6 + 1000]),
)
STORED = st.lists(
    st.tuples(
        st.sampled_from([((), None), (("Personal",), None), (("Personal",), "age"), (("Goals",), None)]),
        st.fixed_dictionaries(
            {}, optional={"ask": st.booleans(), "since": TIMES, "bind_resolver": st.just("count"), "past": st.just(9.0)}
        ),
    ),
    max_size=3,
)


@settings(max_examples=100 * EFFORT)
@given(
    st.lists(STEPS, max_size=12), st.one_of(st.none(), STORED), st.lists(SLICES, max_size=3),
    st.sampled_from(["allowed", "changed"]), st.sampled_from(["app", "app", "app", "owner"]),
    st.integers(0, 50), st.booleans(),
)  # fmt: skip
def test_a_preview_is_what_the_app_then_gets(
    steps: list[Any], stored: Any, slices: list[Slice], decision: Any, role: Any, at_s: int, reload: bool
) -> None:
    """Right after the consent, at the preview's time: the same values, failures and absences; what refuses one refuses
    both."""
    person = _told(steps, stored)
    if reload:
        person.reload()
    query = PreviewGrant(app="probe", granted=slices, decision=decision, role=role, limit=1000)
    command = Consent(id="c", app="probe", granted=slices, decision=decision, role=role)
    try:
        shown = person.answered(query, now=START_US / 1e6 + at_s)
    except Refusal as refusal:
        assert person.refuses(command) == refusal.error  # noqa: PT017 - both are refused, or neither
        return
    assert shown.seq == person.live.seq
    person.do(command, time_us=round(shown.time * 1e6))
    for ask in shown.asks:
        of_app = Ask(context=ask.context, view=ask.view)  # type: ignore[arg-type]
        whose = ask.whose_rules
        own = of_app if whose is None else AskForRule(whose_rules=whose, query=of_app)
        try:
            reply = person.ask(own, "probe", shown.time)
        except Refusal as refusal:
            assert refusal.error == ask.error  # noqa: PT017 - the ask is refused as a whole
            continue
        assert ask.error is None
        assert [(one.path, one.value, one.error) for one in ask.components] == [
            *((one.path, one.value, None) for one in reply.components),
            *((one.path, None, one.error) for one in reply.failures),
        ]
    asked = {tuple(ask.context) for ask in shown.asks if ask.view is None and ask.whose_rules is None}
    for one in checked(slices, "slices"):
        if "ask" in one.actions and one.view is None and one.whose_rules is None and role == "app":
            assert {tuple(path.split("/")) if path else () for path in one.paths} <= asked


def _told(steps: list[Any], stored: Any) -> Person:
    person = Person()
    view = ViewDefinition(name="mixed", components=["age", ["Goals", "Health", "steps"], ["Not", "there"]])
    person.do(MakeView(id="v", context=["Personal"], view=view))
    if stored is not None:
        person.register("probe", tell=True)
        for (path, component), parts in stored:
            person.permit("probe", *path, component=component, **parts)
    for name, number, app, kind, flags, time, corrects in steps:
        value = str(number) if name == "firstname" else number
        at: dict[str, Any] = {"id": "c", "context": ["Personal"], "component": name}
        command = (
            Correct(**at, value=value)
            if corrects
            else Tell(**at, evidence=NewEvidence(value=value, evidence_type=kind, flags=flags, time=time))
        )
        try:
            person.do(command, app)
        except Refusal:
            continue
    return person
