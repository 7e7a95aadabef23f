"""What has followed from a piece of evidence: values and rules, what was sent, and who has asked since."""

from typing import Any

from schemas.apps import RULES_APP
from schemas.asked import AskedRow
from schemas.causes import Cause
from schemas.commands import MakeRule, NoteSent
from schemas.errors import Code
from schemas.evidence import CausingPiece
from schemas.following import FollowsReply
from schemas.queries import Follows

from .causing import NEVER, because, follows, given, tell, withdraw
from .given import Person


def asked_about(person: Person, seq: int, name: str = "src", app: str = "llum") -> FollowsReply:
    reply = person.answered(Follows(context=["T"], component=name, seq=seq), app)
    assert isinstance(reply, FollowsReply)
    return reply


def test_values_stand_after_their_causes() -> None:
    """Each with the piece that it came from and the rule that told it; what does not follow is not there."""
    person = given("src", "der")
    tell(person, value=7)
    seq = tell(person)
    second = follows(person, seq)
    third = follows(person, second, "der", "third", 43)
    values = asked_about(person, seq).values
    assert [(one.path, one.seq, one.value, one.cause) for one in values] == [
        (["T", "der"], second, 42, CausingPiece(seq=seq)),
        (["T", "third"], third, 43, CausingPiece(seq=second)),
    ]


def test_what_has_been_withdrawn_is_marked() -> None:
    """Whoever has withdrawn a piece can still see what went with it."""
    person = given("src")
    seq = tell(person)
    follows(person, seq)
    person.do(withdraw(seq))
    (value,) = asked_about(person, seq).values
    assert value.withdrawn is not None
    assert value.withdrawn.cause == CausingPiece(seq=seq)


def test_rules_are_named_with_what_they_say() -> None:
    """Each once, with its component. One that has been deleted has no statement any more."""
    person = given()
    token = person.do(MakeRule(id="r", context=["T"], component="src", statement=NEVER)).result
    seq = tell(person)
    for _ in range(2):
        person.do(because(seq, rule=token))
    follows(person, seq)
    rules = asked_about(person, seq).rules
    assert [(rule.path, rule.token, rule.statement) for rule in rules] == [
        (["T", "src"], token, NEVER),
        (["T", "src"], "7", None),
    ]


def sent(seq: int, **members: Any) -> NoteSent:
    fired = Cause(rule="9", root=f"alice.{seq}", depth=1, seq=seq, path=["T", "src"])
    return NoteSent(id="s", cause=fired, app="lim", **members)


def test_what_was_sent_is_there_too() -> None:
    """Calls of URLs up to the host, and other people's models; their rule is named, too."""
    person = given("src")
    seq = tell(person)
    person.do(sent(seq, method="POST", url="https://hooks.example"), RULES_APP)
    person.do(sent(seq, person="bob", path=["Location", "seen"]), RULES_APP)
    reply = asked_about(person, seq)
    assert [(one.method, one.url, one.app) for one in reply.notices] == [("POST", "https://hooks.example", "lim")]
    assert [(one.person, one.path) for one in reply.elsewhere] == [("bob", ["Location", "seen"])]
    assert [(one.token, one.app) for one in reply.rules] == [("9", "lim")]


def test_who_has_asked_since_is_named() -> None:
    """For the piece or what follows. Not who asked before, for something else, or in vain; nor her own rules."""
    person = given("src")
    seq = tell(person)
    follows(person, seq)
    then = person.live.time_us / 1e6

    def row(app: str, name: str, last: float, **members: Any) -> AskedRow:
        return AskedRow(app=app, verb="ask", path=["T", name], count=1, first=last, last=last, **members)

    person.store.asked = [
        row("coach", "src", then + 5),
        row("early", "src", then - 1000),
        row("other", "plain", then + 5),
        row("refused", "der", then + 5, code=Code.PERMISSION_DENIED),
        row("doctor", "der", then + 6),
        row("llum", "src", then + 7, rule_of="alice"),
    ]
    assert [one.app for one in asked_about(person, seq).asked] == ["doctor", "coach"]
    person.store.asked *= 2
    assert [one.count for one in asked_about(person, seq).asked] == [2, 2]


def test_only_owner_apps_see_what_follows() -> None:
    """It reaches all over the model, whoever told the piece."""
    person = given("src")
    person.register("probe", ask=True, tell=True)
    seq = tell(person, app="probe")
    error = person.refuses_ask(Follows(context=["T"], component="src", seq=seq), "probe")
    assert error.code is Code.PERMISSION_DENIED


def test_a_piece_that_is_not_there_is_said_to_be_missing() -> None:
    """So is one of another component."""
    person = given("src")
    seq = tell(person)
    for name, number in (("der", seq), ("src", seq + 1)):
        error = person.refuses_ask(Follows(context=["T"], component=name, seq=number))
        assert error.code is Code.NO_SUCH_EVIDENCE
