"""A refusal names the right that is missing: what the owner would have to grant, and nothing of what there is."""

from typing import Any

import pytest

from schemas.commands import (
    COMMANDS,
    Command,
    DeleteComponent,
    DeleteContext,
    DeleteRule,
    DeleteView,
    MakeComponent,
    MakeContext,
    MakeRule,
    MakeView,
    SetGoals,
    SetPermission,
    SetResolver,
    Tell,
    Withdraw,
)
from schemas.definitions import ComponentDefinition, ViewDefinition
from schemas.errors import Code, Error, Refusal
from schemas.evidence import EvidenceFilter, NewEvidence
from schemas.grants import Consent
from schemas.missing import ALL_OF_THE_PAST, RIGHT_OF, right, right_for
from schemas.preferences import PutPreferences
from schemas.queries import (
    QUERIES,
    Ask,
    AskForRule,
    Export,
    GetContext,
    GetPermission,
    ListApps,
    ListRules,
    Preferences,
    Query,
    RuleMayTell,
)
from schemas.slices import Slice

from .given import RULE, START_US, Person

HERE: dict[str, Any] = {"id": "c", "context": ["Personal"]}
AGE: dict[str, Any] = {**HERE, "component": "age"}
OF_AGE = ["Personal/age"]
NEW = ComponentDefinition(name="new", value_type="number")
TOLD = ComponentDefinition(name="new", value_type="number", evidence=[NewEvidence(value=1)])

NOT_THERE: list[Any] = [
    Ask(context=["Not", "there"]),
    Ask(context=["a/b~c"]),
    Tell(**HERE, component="not", evidence=NewEvidence(value=1)),
]
PUT = PutPreferences(id="p", view="flat", body={"contexts": {"gpii-default": {"preferences": {"size": 1}}}})
QUERIES_WITHOUT_RIGHT: list[tuple[Query, Slice]] = [
    (Ask(), Slice(paths=[""], actions=["ask"])),
    (Ask(context=["Personal"]), Slice(paths=["Personal"], actions=["ask"])),
    (NOT_THERE[0], Slice(paths=["Not/there"], actions=["ask"])),
    (NOT_THERE[1], Slice(paths=["a~1b~0c"], actions=["ask"])),
    (Ask(context=["Personal"], view="fullname"), Slice(paths=["Personal"], actions=["ask"])),
    (GetContext(context=["Personal"]), Slice(paths=["Personal"], actions=["ask"])),
    (Preferences(), Slice(paths=["Preferences"], actions=["ask"])),
    (ListRules(context=["Personal"]), Slice(paths=["Personal"], actions=["ask"])),
    (ListRules(context=["Personal"], component="age"), Slice(components=OF_AGE, actions=["ask"])),
]
COMMANDS_WITHOUT_RIGHT: list[tuple[Command, Slice]] = [
    (Tell(**AGE, evidence=NewEvidence(value=1)), Slice(components=OF_AGE, actions=["tell"])),
    (NOT_THERE[2], Slice(components=["Personal/not"], actions=["tell"])),
    (Withdraw(**AGE, seq=1), Slice(components=OF_AGE, actions=["tell"])),
    (PUT, Slice(paths=["Preferences"], actions=["tell", "make"])),
    (MakeContext(**HERE, name="In"), Slice(paths=["Personal/In"], actions=["make"])),
    (MakeComponent(**HERE, component=NEW), Slice(paths=["Personal"], actions=["make"])),
    (MakeView(**HERE, view=ViewDefinition(name="v", components=[])), Slice(paths=["Personal"], actions=["make"])),
    (SetResolver(**HERE, resolver="sum"), Slice(paths=["Personal"], actions=["make"])),
    (SetResolver(**AGE, resolver="sum"), Slice(components=OF_AGE, actions=["make"])),
    (SetGoals(**AGE, goals=[]), Slice(components=OF_AGE, actions=["make"])),
    (DeleteContext(**HERE), Slice(paths=["Personal"], actions=["delete"])),
    (DeleteComponent(**AGE), Slice(components=OF_AGE, actions=["delete"])),
    (DeleteView(**HERE, view="fullname"), Slice(paths=["Personal"], actions=["delete"])),
    (MakeRule(**AGE, statement=RULE), Slice(components=OF_AGE, actions=["ask", "rules"])),
    (DeleteRule(**AGE, token="3"), Slice(components=OF_AGE, actions=["ask"])),
]


def given(**permission: Any) -> Person:
    """A person whose app `probe` has one setting at the root, and whose age has been told."""
    person = Person()
    person.register("probe", **permission)
    person.tell("age", 3)
    return person


def permit(person: Person, missing: Slice) -> None:
    """Grant what a refusal has named, as the owner who is asked for it."""
    person.do(Consent(id="p", app="probe", decision="allowed", granted=[missing]))


@pytest.mark.parametrize(("query", "missing"), QUERIES_WITHOUT_RIGHT, ids=repr)
def test_a_query_names_the_place_that_may_not_be_asked(query: Query, missing: Slice) -> None:
    """Whether or not there is something."""
    error = given(tell=True).refuses_ask(query, "probe")
    assert (error.code, error.missing) == (Code.PERMISSION_DENIED, missing)


@pytest.mark.parametrize(("command", "missing"), COMMANDS_WITHOUT_RIGHT, ids=repr)
def test_a_command_names_the_verb_and_the_place(command: Command, missing: Slice) -> None:
    """Whether or not there is something."""
    error = given().refuses(command, "probe")
    assert (error.code, error.missing) == (Code.PERMISSION_DENIED, missing)


THERE = [one for one, _ in (*QUERIES_WITHOUT_RIGHT, *COMMANDS_WITHOUT_RIGHT) if one not in NOT_THERE]


@pytest.mark.parametrize("message", THERE, ids=lambda message: type(message).__name__)
def test_what_was_missing_is_enough(message: Any) -> None:
    """Once it is granted, the app is not refused for want of a right any more, though perhaps for something else."""
    person = given()
    ways = {True: person.do, False: person.answered}
    do = ways[type(message) in COMMANDS]
    refused: Error | None = None
    for _ in range(2):
        try:
            do(message, "probe")
        except Refusal as refusal:
            refused = refusal.error
            if refused.missing is not None:
                permit(person, refused.missing)
    assert refused is not None
    assert refused.code is not Code.PERMISSION_DENIED or refused.missing is not None
    try:
        do(message, "probe")
    except Refusal as refusal:
        assert refusal.code is not Code.PERMISSION_DENIED  # noqa: PT017 - or nothing is refused at all


def test_all_that_a_command_needs_beside_is_named() -> None:
    """Of initial evidence and of rules, one after the other."""
    person = given(make=True)
    tells = person.refuses(MakeComponent(**HERE, component=TOLD), "probe")
    assert tells.missing == Slice(components=["Personal/new"], actions=["tell"])
    ruled = ComponentDefinition(name="new", rules=[RULE])
    rules = person.refuses(MakeComponent(**HERE, component=ruled), "probe")
    assert rules.missing == Slice(components=["Personal/new"], actions=["ask", "rules"])


def test_a_rule_of_several_components_names_the_one_that_lacks_a_right() -> None:
    """The first that does."""
    person = given(ask=True)
    person.do(SetPermission(id="p", app="probe", context=["Personal"], component="age", rules=True))
    command = MakeRule(**AGE, further=[["Personal", "firstname"]], statement=RULE)
    error = person.refuses(command, "probe")
    assert (error.field, error.missing) == ("further[0]", Slice(components=["Personal/firstname"], actions=["rules"]))


def test_a_partial_answer_names_it_for_each_component() -> None:
    """What may be asked is answered."""
    person = given()
    person.do(SetPermission(id="p", app="probe", context=["Personal"], component="age", ask=True))
    reply = person.ask(Ask(context=["Personal"], view=["age", "mood", ["Not", "there"]]), "probe")
    assert [one.value for one in reply.components] == [3]
    assert [one.error.missing for one in reply.failures] == [
        Slice(components=["Personal/mood"], actions=["ask"]),
        Slice(components=["Not/there"], actions=["ask"]),
    ]


def test_a_resolver_that_may_not_be_used_is_named() -> None:
    """And for a filter it is the place without a limit."""
    person = given(ask=True, resolvers=["default"], filters=["all"])
    (by_resolver,) = person.ask(Ask(context=["Personal"], view=["age"], resolver="sum"), "probe").failures
    assert by_resolver.error.missing == Slice(components=OF_AGE, actions=["ask"], resolver="sum")
    narrow = Ask(context=["Personal"], view=["age"], evidence_filter=EvidenceFilter(name="last1"))
    (by_filter,) = person.ask(narrow, "probe").failures
    assert by_filter.error.missing == Slice(components=OF_AGE, actions=["ask"])


def test_an_app_that_sees_one_view_is_told_what_another_one_takes() -> None:
    """Whether or not there is one."""
    person = given()
    person.permit("probe", "Personal", ask=True, bind_view="fullname")
    for view in ("other", "none"):
        error = person.refuses_ask(Ask(context=["Personal"], view=view), "probe")
        assert error.missing == Slice(paths=["Personal"], actions=["ask"], view=view)


def test_how_far_back_it_would_have_to_look_is_named() -> None:
    """Whole seconds, rounded up. Of a sequence not even its time is told."""
    person = given(ask=True)
    now = person.now
    told = person.refuses_ask(Ask(context=["Personal"], as_of_time=now - 90.5), "probe")
    assert told.missing == Slice(paths=["Personal"], actions=["ask"], past=91.0)
    listed = person.refuses_ask(Ask(context=["Personal"], view=["age", ["Goals", "x"]], as_of_seq=1), "probe")
    assert listed.missing == Slice(components=[*OF_AGE, "Goals/x"], actions=["ask"], past=ALL_OF_THE_PAST)
    own = person.refuses_ask(GetPermission(app="probe", as_of_seq=1), "probe")
    assert own.missing == Slice(paths=[""], actions=["ask"], past=ALL_OF_THE_PAST)


def test_so_is_it_where_only_some_components_reach_so_far() -> None:
    """Each by itself; nothing is to be granted of what is yet to come."""
    person = given(ask=True)
    person.do(SetPermission(id="p", app="probe", context=["Personal"], component="age", past=100))
    both, now = ["age", "mood"], person.now
    (then,) = person.ask(Ask(context=["Personal"], view=both, as_of_time=now - 2), "probe", now).failures
    assert then.error.missing is not None
    assert (then.error.missing.components, then.error.missing.past) == (["Personal/mood"], 2.0)
    (held,) = person.ask(Ask(context=["Personal"], view=both, held_at=now - 2), "probe", now).failures
    assert held.error.missing == Slice(components=["Personal/mood"], actions=["ask"], past=2.0)
    ahead = person.ask(Ask(context=["Personal"], view=both, held_at=now + 50), "probe", now)
    assert [one.error.missing for one in ahead.failures] == [None, None]


def test_a_rule_in_another_model_lacks_a_right_of_its_own() -> None:
    """Not one of its app."""
    person = given(ask=True, tell=True)
    error = person.refuses_ask(RuleMayTell(whose_rules="bob", component=["Personal", "age"]), "probe")
    assert error.missing == Slice(components=OF_AGE, actions=["tell"], whose_rules="bob")
    asked = person.refuses_ask(AskForRule(whose_rules="bob", query=Ask(context=["Personal"])), "probe")
    assert asked.missing == Slice(paths=["Personal"], actions=["ask"], whose_rules="bob")


@pytest.mark.parametrize("query", [ListApps(), Export(), ListApps(as_of_seq=1), Export(as_of_time=START_US / 1e6)])
def test_what_only_an_owner_may_has_nothing_to_be_granted(query: Query) -> None:
    """No slice makes an app an owner's."""
    assert given(ask=True).refuses_ask(query, "probe").missing is None


def test_every_message_that_needs_a_right_is_about_a_place() -> None:
    """So what nats-server has not taken can be named too, without the model."""
    assert {type(message) for message, _ in (*QUERIES_WITHOUT_RIGHT, *COMMANDS_WITHOUT_RIGHT)} == set(RIGHT_OF)
    assert right_for(Ask(context=["Personal"])) == right("ask", ("Personal",))
    assert right_for(MakeComponent(**HERE, component=NEW)) == right("make", ("Personal",))
    assert right_for(DeleteComponent(**AGE)) == right("delete", ("Personal",), "age")
    assert right_for(ListApps()) is None
    assert set(RIGHT_OF) < {*COMMANDS, *QUERIES}
