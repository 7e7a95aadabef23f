"""Rules that are there and do not fire, until an owner's app activates them."""

from model.changes import Fired, SchedulePlanned
from schemas.apps import CRON_APP
from schemas.commands import ActivateRule, DeleteRule, Fire, MakeRule, Tell
from schemas.errors import Code
from schemas.evidence import NewEvidence
from schemas.queries import ListRules

from .given import CRON_RULE, RULE, Person

AGE = ("Personal", "age")
TELL = Tell(id="t", context=["Personal"], component="age", evidence=NewEvidence(value=1))


def made_for(person: Person, app: str, statement: str = RULE) -> str:
    """Make a rule as an import does."""
    command = MakeRule(id="s", context=["Personal"], component="age", statement=statement, app=app)
    token: str = person.do(command).result
    return token


def activate(token: str) -> ActivateRule:
    return ActivateRule(id="a", context=["Personal"], component="age", token=token)


def test_a_rule_that_is_made_for_an_app_waits() -> None:
    """It is that app's, it is listed with the reason, it fires once an owner's app has activated it."""
    person = Person()
    person.register("probe", ask=True, rules=True, notify=True)
    token = made_for(person, "probe")
    person.do(TELL)
    assert person.store.left == []
    (shown,) = person.describe(ListRules(context=["Personal"])).rules["age"].values()
    assert (shown.app, shown.suspended) == ("probe", "imported")
    person.reload()
    person.do(activate(token))
    person.do(TELL)
    assert person.store.left == [Fired(AGE, None)]
    (shown,) = person.describe(ListRules(context=["Personal"])).rules["age"].values()
    assert (shown.app, shown.suspended) == ("probe", None)


def test_a_schedule_is_installed_when_the_rule_is_activated() -> None:
    """Not before; a firing that comes all the same is refused."""
    person = Person()
    token = made_for(person, "llum", CRON_RULE)
    fire = Fire(id="f", context=["Personal"], component="age", token=token, at=int(person.now))
    assert person.refuses(fire, CRON_APP).code is Code.NO_SUCH_RULE
    assert person.store.left == []
    person.do(activate(token))
    assert person.store.left == [SchedulePlanned(AGE, token, int(person.now))]
    person.do(fire, CRON_APP)
    assert person.store.left[-1] == Fired(AGE, None, token)


def test_several_rules_are_activated_or_none() -> None:
    """In one command; naming one twice does no harm."""
    person = Person()
    person.register("probe", ask=True, tell=True)
    person.permit("probe", notify=True)
    tokens = [made_for(person, "probe", CRON_RULE) for _ in range(2)]
    command = ActivateRule(id="a", context=["Personal"], component="age", token=tokens[0], further=["99"])
    assert person.refuses(command).code is Code.NO_SUCH_RULE
    command.further = [tokens[1], tokens[0]]
    person.do(command)
    rules = person.describe(ListRules(context=["Personal"])).rules["age"]
    assert {token: rule.suspended for token, rule in rules.items()} == dict.fromkeys(tokens)


def test_only_an_owners_app_activates() -> None:
    """The rule's own app does not; what is not there, or is at work, is told as such."""
    person = Person()
    person.register("probe", ask=True, tell=True, notify=True)
    token = made_for(person, "probe")
    assert person.refuses(activate(token), "probe").code is Code.PERMISSION_DENIED
    assert person.refuses(activate("99")).code is Code.NO_SUCH_RULE
    person.do(activate(token))
    assert person.do(activate(token)).changes == []


def test_only_an_owners_app_makes_rules_for_others() -> None:
    """For apps that are registered."""
    person = Person()
    person.register("probe", ask=True, tell=True)
    command = MakeRule(id="s", context=["Personal"], component="age", statement=RULE, app="llum")
    assert person.refuses(command, "probe").code is Code.PERMISSION_DENIED
    command = MakeRule(id="s", context=["Personal"], component="age", statement=RULE, app="nobody")
    assert person.refuses(command).code is Code.NO_SUCH_APP


def test_a_suspended_rule_is_deleted_as_any_other() -> None:
    """By its app, too."""
    person = Person()
    person.register("probe", ask=True, tell=True)
    token = made_for(person, "probe", CRON_RULE)
    person.do(DeleteRule(id="d", context=["Personal"], component="age", token=token), "probe")
    assert person.describe(ListRules(context=["Personal"])).rules == {}
