"""Which places a command touches: what live feeds are told."""

from typing import Any

import pytest

from model.touched import touched
from schemas import commands
from schemas.causes import Cause
from schemas.commands import Command
from schemas.definitions import (
    ComponentDefinition,
    ContextDefinition,
    ImportedComponent,
    ImportedContext,
    ModelDefinition,
    ViewDefinition,
)
from schemas.events import MAX_EVENT_PATHS
from schemas.evidence import ImportedEvidence, NewEvidence
from schemas.grants import Consent
from schemas.parts import ForgetPart, Restate
from schemas.paths import Path
from schemas.preferences import PutPreferences
from schemas.slices import Slice

from .given import CRON_RULE, RULE, Person

AGE: dict[str, Any] = {"id": "x", "context": ["Personal"], "component": "age"}
IMPORTED = ImportedEvidence(value=1, source="llum", owner="alice", creation_time=1.0)


def imported(path: list[str], *names: str, evidence: list[ImportedEvidence]) -> ImportedContext:
    made = [
        ImportedComponent(definition=ComponentDefinition(name=name, value_type="number"), evidence=evidence)
        for name in names
    ]
    return ImportedContext(path=path, components=made)


TOUCHES: list[tuple[Command, list[Path]]] = [
    (commands.Tell(**AGE, evidence=NewEvidence(value=7)), [("Personal", "age")]),
    (commands.Correct(**AGE, value=7), [("Personal", "age")]),
    (
        PutPreferences(id="x", view="flat", body={"contexts": {"day": {"preferences": {"a": 1}}}}),
        [
            ("Preferences",),
            ("Preferences", "flat"),
            ("Preferences", "flat", "_set"),
            ("Preferences", "flat", "day"),
            ("Preferences", "flat", "day", "a"),
        ],
    ),
    (commands.SetResolver(**AGE, resolver="mean"), [("Personal", "age")]),
    (commands.SetResolver(id="x", context=["Personal"], resolver="mean"), [("Personal",)]),
    (commands.SetGoals(**AGE, goals=[["Goals", "Health", "steps"]]), [("Personal", "age")]),
    (commands.SetTimeZone(id="x", time_zone="Europe/Amsterdam"), [()]),
    (commands.MakeRule(**AGE, statement=RULE), [("Personal", "age")]),
    (commands.MakeRule(**AGE, statement=CRON_RULE), [("Personal", "age")]),
    (commands.MakeContext(id="x", context=["Personal"], name="New"), [("Personal", "New")]),
    (commands.MakeContext(id="x", context=[], name="Personal", exist_ok=True), []),
    (
        commands.MakeComponent(
            id="x",
            context=["Goals"],
            component=ComponentDefinition(name="new", evidence=[NewEvidence(value="v")], rules=[RULE]),
        ),
        [("Goals", "new")],
    ),
    (
        commands.MakeView(id="x", context=["Goals"], view=ViewDefinition(name="all", components=["a"])),
        [("Goals", "all")],
    ),
    (commands.DeleteComponent(**AGE), [("Personal", "age")]),
    (commands.DeleteView(id="x", context=["Personal"], view="fullname"), [("Personal", "fullname")]),
    (
        commands.DeleteContext(id="x", context=["Goals"]),
        [("Goals", "Health", "steps"), ("Goals", "Health"), ("Goals",)],
    ),
    (commands.RegisterApp(id="x", app="probe"), [()]),
    (
        Consent(id="x", app="probe", decision="allowed", granted=[Slice(components=["Personal/age"], actions=["ask"])]),
        [(), ("Personal", "age")],
    ),
    (commands.Forget(id="x"), [()]),
    (
        commands.Import(
            id="x",
            context=["Goals"],
            contexts=[
                imported(["Health"], "steps", evidence=[IMPORTED]),
                imported([], "weight", evidence=[]),
                imported(["Sleep"], "hours", evidence=[IMPORTED]),
            ],
        ),
        [
            ("Goals", "Health", "steps"),
            ("Goals", "weight"),
            ("Goals", "Sleep"),
            ("Goals", "Sleep", "hours"),
        ],
    ),
]


@pytest.mark.parametrize(("command", "paths"), TOUCHES, ids=lambda one: type(one).__name__)
def test_a_command_touches_what_it_changes(command: Command, paths: list[Path]) -> None:
    """Each place once, and nothing that is as it was."""
    person = Person()
    assert sorted(touched(command, person.do(command).changes)) == sorted(paths)


def test_a_model_that_is_made_is_touched_as_a_whole() -> None:
    """And in all that its definition puts into it."""
    person = Person()
    component = ComponentDefinition(name="b", evidence=[NewEvidence(value="x")])
    definition = ModelDefinition(contexts=[ContextDefinition(path=["a"], components=[component])])
    person.do(commands.Forget(id="f"))
    command = commands.MakeModel(id="m", definition=definition)
    assert touched(command, person.do(command).changes) == [(), ("a",), ("a", "b")]


def test_what_a_person_takes_back_is_touched() -> None:
    """A component by a withdrawal; the first one changes its definition as well, and still it is named once."""
    person = Person()
    person.tell("age", 7)
    command = commands.Withdraw(**AGE, seq=person.seq)
    assert touched(command, person.do(command).changes) == [("Personal", "age")]


def test_rules_and_permissions_touch_the_place_that_they_are_at() -> None:
    """A permission its context or component; a deleted rule its component; a deleted app all that was its own."""
    person = Person()
    person.register("probe")
    at_context = commands.SetPermission(id="x", app="probe", context=["Goals", "Health"], ask=True)
    assert touched(at_context, person.do(at_context).changes) == [("Goals", "Health")]
    at_component = commands.SetPermission(id="x", app="probe", context=["Personal"], component="age", ask=True)
    assert touched(at_component, person.do(at_component).changes) == [("Personal", "age")]
    token = person.do(commands.MakeRule(**AGE, statement=RULE)).result
    activate = commands.ActivateRule(**AGE, token=token)
    assert touched(activate, person.do(activate).changes) == []
    unsubscribe = commands.DeleteRule(**AGE, token=token)
    assert touched(unsubscribe, person.do(unsubscribe).changes) == [("Personal", "age")]
    quota = commands.SetQuota(id="x", app="probe", rules=1)
    assert touched(quota, person.do(quota, "_admin").changes) == [()]
    delete = commands.DeleteApp(id="x", app="probe")
    paths = touched(delete, person.do(delete).changes)
    assert set(paths) == {(), ("Goals", "Health"), ("Personal", "age")}


def test_a_rule_whose_time_has_come_touches_nothing() -> None:
    """What it brings about are commands of their own."""
    person = Person()
    token = person.do(commands.MakeRule(**AGE, statement=CRON_RULE)).result
    command = commands.Fire(**AGE, token=token, at=int(person.now))
    assert touched(command, person.do(command, "_cron").changes) == []


@pytest.mark.parametrize(("above", "contexts"), [(["Goals"], ["Health"]), ([], ["Goals", "Personal"])])
def test_more_than_an_event_holds_is_told_by_the_context_of_all(above: list[str], contexts: list[str]) -> None:
    """Whoever shows a part of it looks there anew."""
    person = Person()
    count = MAX_EVENT_PATHS // len(contexts) + 1
    parts = [imported([name], *(f"c{n}" for n in range(count)), evidence=[]) for name in contexts]
    command = commands.Import(id="x", context=above, contexts=parts)
    (path,) = touched(command, person.do(command).changes)
    assert path == (("Goals", "Health") if above else ())


def test_a_part_that_is_forgotten_touches_the_whole_model() -> None:
    """Only the store knows where it was. What is said anew changes nothing that anybody could look at."""
    person = Person()
    command = ForgetPart(id="x", source="probe")
    assert touched(command, person.do(command).changes) == [()]
    said = Restate(id="x", attempt="a", number=0)
    assert touched(said, person.do(said, "_restate").changes) == []


def test_what_goes_with_its_cause_is_touched() -> None:
    """Though the command names the cause alone."""
    person = Person()
    person.do(commands.MakeRule(**AGE, statement=RULE))
    person.do(commands.Tell(**AGE, evidence=NewEvidence(value=1)))
    seq = person.seq
    cause = Cause(rule="7", root="alice.1", depth=1, seq=seq, path=["Personal", "age"])
    evidence = NewEvidence(value="Al")
    told = commands.Derive(id="t", context=["Personal"], component="firstname", evidence=evidence, cause=cause)
    person.do(told)
    command = commands.Withdraw(**AGE, seq=seq)
    assert set(touched(command, person.do(command).changes)) == {("Personal", "age"), ("Personal", "firstname")}


def test_every_command_is_looked_at() -> None:
    """A new one is added to these tests."""
    here = {type(command) for command, _ in TOUCHES}
    # See tests/model/test_causes.py.
    here |= {commands.Derive, commands.WithdrawFollowing, commands.NoteSent, ForgetPart, Restate}
    here |= {commands.MakeModel, commands.Withdraw, commands.SetPermission, commands.DeleteRule, commands.DeleteApp}
    assert here | {commands.Fire, commands.ActivateRule, commands.SetQuota} == set(commands.COMMANDS)
