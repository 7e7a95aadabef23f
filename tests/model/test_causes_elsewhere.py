"""What rules have told other people's models goes with the evidence that fired them, as far as they are let."""

from collections.abc import Sequence

from model.changes import CauseGone, Change, WithdrawElsewhere
from schemas.apps import RULES_APP
from schemas.causes import Cause
from schemas.commands import DeleteComponent, Derive, NoteSent, WithdrawFollowing
from schemas.errors import Code
from schemas.evidence import CausingPiece, NewEvidence

from .causing import evidence, follows, given, left, tell, value, withdraw
from .given import Person


def sent(seq: int, person: str | None = "bob", cause: str = "src") -> NoteSent:
    fired = Cause(rule="7", root=f"alice.{seq}", depth=1, seq=seq, path=["T", cause])
    if person is None:
        return NoteSent(id="s", cause=fired, app="lim", method="POST", url="https://hooks.example")
    return NoteSent(id="s", cause=fired, app="lim", person=person, path=["Location", "seen"])


def gone_elsewhere(changes: Sequence[Change]) -> list[tuple[int, str | None]]:
    found: list[CauseGone] = [one for change in left(changes, WithdrawElsewhere) for one in change.causes]
    return [(one.seq, one.sent.person) for one in found]


def test_what_was_told_elsewhere_is_withdrawn_there() -> None:
    """Also what has followed further on. Notices have been sent, and stay so."""
    person = given("src", "der")
    seq = tell(person)
    person.do(sent(seq), RULES_APP)
    person.do(sent(seq, None), RULES_APP)
    second = follows(person, seq)
    person.do(sent(second, "carol", "der"), RULES_APP)
    assert gone_elsewhere(person.do(withdraw(seq)).changes) == [(seq, "bob"), (second, "carol")]


def test_what_is_told_elsewhere_too_late_is_withdrawn_after_that() -> None:
    """The withdrawal is in the outbox behind the firing, so it leaves after the tell."""
    person = given("src")
    seq = tell(person)
    person.do(withdraw(seq))
    assert gone_elsewhere(person.do(sent(seq), RULES_APP).changes) == [(seq, "bob")]
    assert gone_elsewhere(person.do(sent(seq, None), RULES_APP).changes) == []


def test_what_is_told_elsewhere_after_the_component_was_deleted_is_withdrawn() -> None:
    """There is nothing left to note it with."""
    person = given("src")
    seq = tell(person)
    person.do(DeleteComponent(id="d", context=["T"], component="src"))
    assert gone_elsewhere(person.do(sent(seq), RULES_APP).changes) == [(seq, "bob")]


def test_only_llum_notes_what_was_sent() -> None:
    """Not even an owner's app."""
    person = given("src")
    assert person.refuses(sent(tell(person))).code is Code.PERMISSION_DENIED


def elsewhere(person: Person, *seqs: int, app: str = "lim", name: str = "der") -> WithdrawFollowing:
    pieces = [(seq, 0) for seq in seqs]
    return WithdrawFollowing(id="w", person="mallory", pieces=pieces, context=["T"], component=name)


def told_by_mallory(person: Person, of: int, app: str = "lim") -> None:
    fired = Cause(rule="7", root=f"mallory.{of}", depth=1, person="mallory", seq=of)
    person.do(Derive(id="t", context=["T"], component="der", evidence=NewEvidence(value=of), cause=fired), app)


def given_to_mallory() -> Person:
    person = given("der")
    for app in ("lim", "second"):
        person.register(app)
        person.permit(app, "T", whose_rules="mallory", tell=True)
    return person


def test_what_another_persons_rule_told_goes_with_its_cause_there() -> None:
    """By the sequence of the cause there, and with all that followed from it here."""
    person = given_to_mallory()
    told_by_mallory(person, 900)
    told_by_mallory(person, 901)
    follows(person, person.seq, "der", "third")
    person.do(elsewhere(person, 901), "lim")
    assert (value(person), value(person, "third")) == (900, None)
    cause = evidence(person)[-1].withdrawn
    assert cause is not None
    assert (cause.by, cause.cause) == ("lim", CausingPiece(seq=901, person="mallory"))


def test_an_app_takes_back_only_what_its_own_rules_told() -> None:
    """As many as use the same numbers."""
    person = given_to_mallory()
    told_by_mallory(person, 900)
    tell(person, "der", 3)
    person.do(elsewhere(person, 900, 901, person.seq), "second")
    assert len(evidence(person)) == 2
    assert all(piece.withdrawn is None for piece in evidence(person))


def test_without_a_grant_nothing_goes_elsewhere() -> None:
    """The person has taken it back: what is there stays, and whoever's rule it was is told."""
    person = given_to_mallory()
    told_by_mallory(person, 900)
    person.permit("lim", "T", whose_rules="mallory", tell=False)
    assert person.refuses(elsewhere(person, 900), "lim").code is Code.PERMISSION_DENIED
    assert value(person) == 900


def test_doing_it_again_changes_nothing() -> None:
    """What has gone has gone."""
    person = given_to_mallory()
    told_by_mallory(person, 900)
    person.do(elsewhere(person, 900), "lim")
    assert not person.do(elsewhere(person, 900), "lim").changes
