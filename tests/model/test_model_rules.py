"""Rules as part of a model: subscribing, firing, and the bounds of what one cause sets off."""

import pytest

from model.changes import Fired, ScheduleDropped, SchedulePlanned
from model.commands.rules import CRON_APP
from model.state import StoredRule
from schemas.causes import Cause
from schemas.commands import Correct, DeleteComponent, DeleteRule, Derive, Fire, MakeComponent, MakeRule, Tell, Withdraw
from schemas.definitions import ComponentDefinition
from schemas.errors import Code
from schemas.evidence import NewEvidence
from schemas.limits import MAX_CAUSES_REMEMBERED, MAX_PER_CAUSE, MAX_RULE_DEPTH
from schemas.queries import Ask, ListRules

from .given import CRON_RULE, RULE, Person

AGE = ("Personal", "age")


def subscribe(person: Person, statement: str = RULE, app: str = "llum", component: str = "age") -> str:
    command = MakeRule(id="s", context=["Personal"], component=component, statement=statement)
    token: str = person.do(command, app).result
    return token


def tell(cause: Cause | None = None, component: str = "age") -> Tell:
    value = 1 if component == "age" else "Al"
    members = {"id": "t", "context": ["Personal"], "component": component, "evidence": NewEvidence(value=value)}
    return Tell(**members) if cause is None else Derive(**members, cause=cause)


def cause(root: str = "alice.3", depth: int = 1) -> Cause:
    return Cause(rule="17", root=root, depth=depth)


def rules(person: Person, component: str = "age") -> dict[str, StoredRule]:
    context = person.live.context(("Personal",))
    assert context is not None
    return context.rules.get(component, {})


def test_a_rule_has_a_token() -> None:
    """The command's sequence; it survives a restart."""
    person = Person()
    token = subscribe(person)
    assert token == str(person.seq)
    before = rules(person)
    person.reload()
    assert rules(person) == before
    assert before[token].statement == RULE


def test_a_tell_fires_the_rules_of_its_component() -> None:
    """Once for all of them, and those of no other."""
    person = Person()
    subscribe(person)
    subscribe(person)
    person.do(tell())
    person.do(tell(component="firstname"))
    assert person.store.left == [Fired(AGE)]


def test_a_correction_fires_and_other_changes_do_not() -> None:
    """Withdrawing and making with initial evidence are no tells."""
    person = Person()
    subscribe(person)
    person.do(Correct(id="c", context=["Personal"], component="age", value=2))
    assert person.store.left == [Fired(AGE)]
    person.do(Withdraw(id="w", context=["Personal"], component="age", seq=person.seq))
    made = ComponentDefinition(name="new", evidence=[NewEvidence(value="x")], rules=[RULE])
    person.do(MakeComponent(id="c", context=["Personal"], component=made))
    assert person.store.left == [Fired(AGE)]


def test_rules_of_a_definition_belong_to_the_app_that_makes_it() -> None:
    """With a schedule if they have one."""
    person = Person()
    person.register("probe", ask=True, tell=True, notify=True)
    definition = ComponentDefinition(name="new", rules=[RULE, CRON_RULE])
    person.do(MakeComponent(id="c", context=["Personal"], component=definition), "probe")
    made = rules(person, "new")
    assert list(made) == [f"{person.seq}-0-0", f"{person.seq}-0-1"]
    assert {rule.app for rule in made.values()} == {"probe"}
    assert person.store.left == [SchedulePlanned(("Personal", "new"), f"{person.seq}-0-1", int(person.now))]
    person.reload()
    assert list(rules(person, "new")) == list(made)


def test_a_rule_with_a_schedule_does_not_fire_on_a_tell() -> None:
    """It is installed and taken down instead."""
    person = Person()
    token = subscribe(person, CRON_RULE)
    made = int(person.now)
    person.do(tell())
    person.do(DeleteRule(id="u", context=["Personal"], component="age", token=token))
    assert person.store.left == [SchedulePlanned(AGE, token, made), ScheduleDropped(AGE, token)]
    assert rules(person) == {}


def test_a_schedule_fires_exactly_its_rule() -> None:
    """On llum's own word only."""
    person = Person()
    token = subscribe(person, CRON_RULE)
    other = subscribe(person)
    fire = Fire(id="f", context=["Personal"], component="age", token=token, at=int(person.now))
    person.do(fire, CRON_APP)
    assert person.store.left[-1] == Fired(AGE, None, token)
    assert person.refuses(fire).code is Code.PERMISSION_DENIED
    for gone in (other, "99"):
        command = Fire(id="f", context=["Personal"], component="age", token=gone, at=fire.at)
        assert person.refuses(command, CRON_APP).code is Code.NO_SUCH_RULE


def test_a_rule_that_does_not_parse_is_refused() -> None:
    """Saying where, also in a definition."""
    person = Person()
    error = person.refuses(MakeRule(id="s", context=["Personal"], component="age", statement="'a' ~ : NOTIFY 'b'"))
    assert (error.code, error.field) == (Code.BAD_RULE, "statement:1:7")
    definition = ComponentDefinition(name="new", rules=[RULE, "nonsense"])
    error = person.refuses(MakeComponent(id="c", context=["Personal"], component=definition))
    assert error.code is Code.BAD_RULE
    assert (error.field or "").startswith("component.rules[1]:1:")


def test_subscribing_needs_ask_and_tell() -> None:
    """A rule sees and speaks for its app."""
    person = Person()
    command = MakeRule(id="s", context=["Personal"], component="age", statement=RULE)
    person.register("probe", ask=True)
    assert person.refuses(command, "probe").code is Code.PERMISSION_DENIED
    person.permit("probe", ask=False, tell=True)
    assert person.refuses(command, "probe").code is Code.PERMISSION_DENIED
    person.permit("probe", ask=True)
    person.do(command, "probe")


def test_who_may_remove_a_rule() -> None:
    """The app that made it and the owner's; to others it looks as if it were not there."""
    person = Person()
    for app in ("probe", "other"):
        person.register(app, ask=True, tell=True)
    token = subscribe(person, app="probe")
    command = DeleteRule(id="u", context=["Personal"], component="age", token=token)
    assert person.refuses(command, "other").code is Code.NO_SUCH_RULE
    person.do(command, "probe")
    assert person.refuses(command, "probe").code is Code.NO_SUCH_RULE
    token = subscribe(person, app="probe")
    person.do(DeleteRule(id="u", context=["Personal"], component="age", token=token))


def test_a_component_that_had_rules_stays_in_the_owners_list() -> None:
    """Empty, as the original's clients expect, until it is made anew; lists of rules do without it."""
    person = Person()
    person.register("probe", ask=True, tell=True)
    query = Ask(context=["Personal"], show_contexts=True)
    for _ in range(2):
        first, second = subscribe(person), subscribe(person)
        for token, left in ((first, [second]), (second, [])):
            person.do(DeleteRule(id="u", context=["Personal"], component="age", token=token))
            person.reload()
            assert {name: list(tokens) for name, tokens in (person.ask(query).rules or {}).items()} == {"age": left}
    assert person.ask(query, "probe").rules == {}
    assert person.describe(ListRules(context=["Personal"])).rules == {}
    person.do(DeleteComponent(id="d", context=["Personal"], component="age"))
    person.do(MakeComponent(id="m", context=["Personal"], component=ComponentDefinition(name="age")))
    assert person.ask(query).rules == {}


def test_an_app_sees_its_own_rules_and_the_owner_all() -> None:
    """In lists and in the contents of a context."""
    person = Person()
    person.register("probe", ask=True, tell=True)
    own = subscribe(person, CRON_RULE, app="probe")
    other = subscribe(person)
    listed = person.describe(ListRules(context=["Personal"])).rules
    assert list(listed["age"]) == [own, other]
    assert listed["age"][own].schedule == "0 7 * * *"
    query = ListRules(context=["Personal"], component="age")
    assert list(person.describe(query, "probe").rules["age"]) == [own]
    shown = person.ask(Ask(context=["Personal"], show_contexts=True), app="probe").rules
    assert shown is not None
    assert list(shown["age"]) == [own]


def test_what_a_rule_tells_says_so() -> None:
    """The evidence names the rule, the firing the cause."""
    person = Person()
    subscribe(person)
    person.do(tell(cause()))
    assert person.store.left == [Fired(AGE, cause())]
    evidence = person.answer("age", include_evidence=True).evidence
    assert evidence is not None
    assert evidence[0].rule == "17"


def test_chains_are_bounded_in_depth() -> None:
    """The last step that is allowed, and the first that is not."""
    person = Person()
    person.do(tell(cause(depth=MAX_RULE_DEPTH)))
    assert person.refuses(tell(cause(depth=MAX_RULE_DEPTH + 1))).code is Code.RULE_LIMIT


def test_one_cause_sets_off_a_bounded_number() -> None:
    """Also over a restart, and each cause for itself."""
    person = Person()
    for index in range(MAX_PER_CAUSE):
        if index == MAX_PER_CAUSE // 2:
            person.reload()
        person.do(tell(cause()))
    assert person.refuses(tell(cause())).code is Code.RULE_LIMIT
    person.do(tell(cause("alice.4")))


def test_a_bounded_number_of_causes_is_remembered() -> None:
    """The one counted least recently is forgotten, in memory as in the store."""
    person = Person()
    for index in range(MAX_CAUSES_REMEMBERED + 1):
        person.do(tell(cause(f"alice.{index}")))
    assert len(person.live.causes) == MAX_CAUSES_REMEMBERED
    assert list(person.live.causes.items()) == list(person.store.causes.items())
    assert "alice.0" not in person.live.causes


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (Cause(rule="x y", root="alice.1", depth=1), "cause.rule"),
        (Cause(rule="1", root="", depth=1), "cause.root"),
        (Cause(rule="1", root="x" * 161, depth=1), "cause.root"),
    ],
)
def test_bad_causes(bad: Cause, field: str) -> None:
    """What llum itself never sends is refused."""
    assert Person().refuses(tell(bad)).field == field
