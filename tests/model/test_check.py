"""May an app do something, and which settings decide: as the owner is told it, and as it then is."""

from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.changes import RuleSuspended
from model.permissions import grant_at, grant_of
from schemas.commands import DeleteComponent, MakeContext, MakeRule, RegisterApp, SetGoals, Tell
from schemas.errors import Code, Refusal
from schemas.evidence import NewEvidence
from schemas.granting import CheckedPart, CheckReply
from schemas.queries import Ask, Check
from schemas.slices import Action, Slice
from tests.effort import EFFORT

from .given import RULE, Person

AGE: dict[str, Any] = {"context": ["Personal"], "component": "age"}
ACTIONS: tuple[Action, ...] = get_args(Action)


def told(person: Person, app: str = "probe", **query: Any) -> CheckReply:
    """Give what an owner is told."""
    reply = person.answered(Check(app=app, **query))
    assert isinstance(reply, CheckReply)
    return reply


def part(reply: CheckReply, name: str) -> CheckedPart:
    (found,) = [one for one in reply.parts if one.part == name]
    return found


def test_the_deciding_setting_of_each_part_has_its_place() -> None:
    """Each part by itself, the nearest first."""
    person = Person()
    person.register("probe", ask=True, past=60, purpose="to try")
    until = person.now + 100
    person.permit("probe", "Personal", bind_resolver="count", expires=until)
    person.permit("probe", "Personal", component="age", since=5.0)
    reply = told(person, **AGE)
    assert (reply.allowed, reply.reason, reply.role, reply.missing) == (True, "setting", "app", None)
    assert reply.parts[0] == CheckedPart(part="ask", value=True, place="/")
    assert part(reply, "past") == CheckedPart(part="past", value=60.0, place="/")
    bound = part(reply, "bind_resolver")
    assert (bound.value, bound.place, bound.until) == ("count", "/Personal", until)
    assert part(reply, "since") == CheckedPart(part="since", value=5.0, place="/Personal/age", is_component=True)
    assert part(reply, "bind_view") == CheckedPart(part="bind_view")
    assert part(reply, "purpose").value == "to try"


def test_an_owners_app_may_all() -> None:
    """By no setting."""
    reply = told(Person(), "llum", action="notify", context=["Not", "there"])
    assert (reply.allowed, reply.reason, reply.parts, reply.exists) == (True, "owner", [], False)


def test_its_rules_in_another_model_may_nothing_by_that() -> None:
    """They have rights of their own."""
    reply = told(Person(), "llum", whose_rules="bob", **AGE)
    assert (reply.allowed, reply.reason) == (False, "not_said")
    assert reply.missing == Slice(components=["Personal/age"], actions=["ask"], whose_rules="bob")


def test_of_an_app_that_is_not_registered_all_is_missing() -> None:
    """That is what it would have to be granted."""
    reply = told(Person(), "nobody", action="rules", context=["Personal"])
    assert (reply.allowed, reply.reason, reply.role, reply.parts) == (False, "not_registered", None, [])
    assert reply.missing == Slice(paths=["Personal"], actions=["rules", "ask"])


def test_why_not_is_said() -> None:
    """Nothing says anything; a setting says no; the one that said yes has expired."""
    person = Person()
    person.register("probe", ask=True)
    assert told(person, action="make").reason == "not_said"
    person.permit("probe", "Personal", ask=False)
    no = told(person, **AGE)
    assert (no.reason, no.parts[0].place, no.parts[0].value) == ("forbidden", "/Personal", False)
    person.permit("probe", "Goals", tell=True, expires=person.now)
    late = person.answered(Check(app="probe", action="tell", context=["Goals"]), now=person.now + 9)
    assert (late.reason, late.parts[0].expired, late.missing.actions) == ("expired", "/Goals", ["tell"])


def test_what_tell_says_of_other_verbs_is_said() -> None:
    """A setting may say `tell` and mean `make`."""
    person = Person()
    person.register("probe", tell=True)
    reply = told(person, action="make", context=["Personal"])
    assert reply.allowed
    assert reply.parts[0] == CheckedPart(part="make", value=True, place="/", said_as="tell")


def test_a_rule_needs_more_than_its_own_verb() -> None:
    """To ask as well; and one that calls a URL needs both."""
    person = Person()
    person.register("probe", rules=True, notify=True)
    reply = told(person, action="notify", **AGE)
    assert (reply.allowed, reply.reason, reply.needs) == (False, "needs", ["ask"])
    assert [one.part for one in reply.parts[:3]] == ["notify", "rules", "ask"]


def test_a_view_keeps_the_rest_out() -> None:
    """Of a component that the view does not list, and of a context that it does not reach."""
    person = Person()
    person.register("probe", ask=True)
    person.permit("probe", "Personal", bind_view="fullname")
    assert told(person, context=["Personal"], component="lastname").allowed
    out = told(person, **AGE)
    assert (out.allowed, out.reason, part(out, "bind_view").value) == (False, "outside_view", "fullname")
    assert out.missing == Slice(components=["Personal/age"], actions=["ask"])


def test_only_the_owner_checks() -> None:
    """Not the app itself either: which setting decides is the owner's."""
    person = Person()
    person.register("probe", ask=True)
    error = person.refuses_ask(Check(app="probe"), "probe")
    assert (error.code, error.missing) == (Code.PERMISSION_DENIED, None)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (Check(app="No app"), Code.BAD_FIELD),
        (Check(app="probe", whose_rules="No one"), Code.BAD_FIELD),
        (Check(app="probe", context=[""]), Code.BAD_PATH),
        (Check(app="probe", component=".."), Code.BAD_PATH),
    ],
)
def test_what_cannot_be_is_refused(query: Check, code: Code) -> None:
    """With a code and a field."""
    assert Person().refuses_ask(query).code is code


PLACES = [((), None), (("Personal",), None), (("Personal",), "age"), (("Goals", "Health"), None)]
PARTS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(ACTIONS, st.booleans()),
        "bind_view": st.sampled_from(["", "fullname", "none"]),
        "bind_resolver": st.sampled_from(["", "count"]),
        "past": st.sampled_from([0.0, 60.0]),
        "since": st.sampled_from([0.0, 5.0]),
        "expires": st.sampled_from([0.0, 1.7e9, 4e9]),
    },
)


SETTINGS = st.lists(st.tuples(st.sampled_from(PLACES), PARTS), max_size=6)
TELLS = "'a' ~ 'b' : TELL './Personal/age', explicit:1"


@settings(max_examples=80 * EFFORT)
@given(SETTINGS, st.sampled_from(PLACES), st.sampled_from(ACTIONS))
def test_what_is_said_is_what_then_happens(sets: list[Any], where: Any, action: Action) -> None:
    """Over random settings: the app is refused for want of a right if and only if the owner is told so."""
    person = Person()
    person.do(RegisterApp(id="r", app="probe"))
    for (path, component), parts in sets:
        kept = {name: value for name, value in parts.items() if name != "bind_view" or component is None}
        person.permit("probe", *path, component=component, **kept)
    path, component = where
    if component is None and action in ("rules", "notify"):
        path, component = ("Personal",), "age"  # rules belong to components
    now = person.now + 1
    reply = person.answered(Check(app="probe", action=action, context=list(path), component=component), now=now)
    grant = (
        grant_of(person.live, "probe", path, now)
        if component is None
        else grant_at(person.live, "probe", path, component, now)
    )
    for one in reply.parts:
        if one.part in ("ask", "tell", "make", "delete", "rules", "notify"):
            assert bool(one.value) is getattr(grant, one.part)
    assert reply.allowed is not _is_refused(person, action, list(path), component)


def _is_refused(person: Person, action: Action, path: list[str], component: str | None) -> bool:
    """Try it."""
    at: dict[str, Any] = {"id": "c", "context": path}
    name = component or "new"
    try:
        match action:
            case "ask":
                reply = person.ask(Ask(context=path, view=None if component is None else [component]), "probe")
                return any(one.error.code is Code.PERMISSION_DENIED for one in reply.failures)
            case "tell":
                person.do(Tell(**at, component=name, evidence=NewEvidence(value=1)), "probe")
            case "make" if component is not None:
                person.do(SetGoals(**at, component=name, goals=[]), "probe")
            case "make":
                person.do(MakeContext(**at, name="In"), "probe")
            case "delete":
                person.do(DeleteComponent(**at, component=name), "probe")
            case "rules":
                person.do(MakeRule(**at, component=name, statement=TELLS), "probe")
            case "notify":
                made = person.do(MakeRule(**at, component=name, statement=RULE), "probe")
                return any(isinstance(change, RuleSuspended) for change in made.changes)
    except Refusal as refusal:
        return refusal.code is Code.PERMISSION_DENIED
    return False
