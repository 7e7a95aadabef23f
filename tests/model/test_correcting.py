"""The owner's last word, and evidence taken back."""

from typing import Any

import pytest

from schemas.commands import Correct, Withdraw
from schemas.errors import Code
from schemas.evidence import EvidenceFilter
from schemas.queries import Ask

from .given import Person, last


def correct(person: Person, value: Any, component: str = "age") -> dict[str, int]:
    result: dict[str, int] = person.do(Correct(id="c", context=["Personal"], component=component, value=value)).result
    return result


def withdraw(seq: int, n: int = 0, component: str = "age", **members: Any) -> Withdraw:
    return Withdraw(id="w", context=["Personal"], component=component, seq=seq, n=n, **members)


EVERY_RESOLVER = ["default", "goal", "recent", "mean", "count", "most_frequent", "time_in_state", "change_since"]
EVERY_FILTER = [
    None,
    EvidenceFilter(name="last1"),
    EvidenceFilter(name="goal"),
    EvidenceFilter(name="since_time", since_time=4e9),
    last(2),
]


@pytest.mark.parametrize("remembered", [True, False])
@pytest.mark.parametrize("evidence_filter", EVERY_FILTER)
@pytest.mark.parametrize("resolver", EVERY_RESOLVER)
def test_a_correction_outranks_everything(
    resolver: str, evidence_filter: EvidenceFilter | None, remembered: bool
) -> None:
    """Whatever the resolver, the filter and what is told later."""
    person = Person()
    person.tell("age", 1)
    correct(person, 42)
    person.tell("age", 3)
    person.tell("age", 4, flags=["goal"])
    if not remembered:
        person.reload()
    assert person.value("age", resolver=resolver, evidence_filter=evidence_filter) == 42


def test_a_newer_correction_replaces_an_older_one() -> None:
    """And when the newer is withdrawn, the older one counts again, then the evidence."""
    person = Person()
    person.tell("age", 1)
    first = correct(person, 2)
    second = correct(person, 3)
    assert person.value("age") == 3
    person.do(withdraw(**second))
    assert person.value("age") == 2
    person.do(withdraw(**first))
    assert person.value("age") == 1
    person.reload()
    assert person.value("age") == 1


def test_a_correction_is_shown_in_explain() -> None:
    """It is what was used; everything else is outranked, an earlier correction corrected."""
    person = Person()
    person.tell("age", 1)
    correct(person, 2)
    correct(person, 3)
    person.tell("age", 4)
    explanation = person.answer("age", explain=True).explanation
    assert explanation is not None
    assert [(piece.value, piece.correction) for piece in explanation.used] == [(3, True)]
    assert {reason.reason: reason.count for reason in explanation.left_out} == {"outranked": 2, "corrected": 1}


@pytest.mark.parametrize(("value", "code"), [("old", Code.BAD_VALUE), (None, Code.BAD_VALUE), (1e400, Code.BAD_VALUE)])
def test_a_correction_has_the_components_type(value: Any, code: Code) -> None:
    """Like all evidence."""
    error = Person().refuses(Correct(id="c", context=["Personal"], component="age", value=value))
    assert (error.code, error.field) == (code, "value")


def test_only_the_owner_corrects() -> None:
    """An app that may tell may not."""
    person = Person()
    person.register("probe", ask=True, tell=True)
    command = Correct(id="c", context=["Personal"], component="age", value=1)
    assert person.refuses(command, "probe").code is Code.PERMISSION_DENIED
    unknown = Correct(id="c", context=["Personal"], component="nothing", value=1)
    assert person.refuses(unknown, "probe").code is Code.PERMISSION_DENIED
    assert person.refuses(unknown).code is Code.NO_SUCH_COMPONENT


@pytest.mark.parametrize("remembered", [True, False])
def test_withdrawn_evidence_counts_no_more(remembered: bool) -> None:
    """For no resolver and no filter: the one before it takes its place."""
    person = Person()
    for value in (1, 2, 3):
        person.tell("age", value)
    person.do(withdraw(person.seq))
    if not remembered:
        person.reload()
    assert person.value("age") == 2
    assert person.value("age", resolver="count") == 2
    assert person.value("age", evidence_filter=EvidenceFilter(name="last1")) == 2
    assert person.value("age", evidence_filter=EvidenceFilter(name="since_time", since_time=0)) == 2
    assert person.value("age", evidence_filter=last(2), resolver="sum") == 3


def test_withdrawn_evidence_is_shown_as_such() -> None:
    """In evidence lists and in explain, with who took it back and why."""
    person = Person()
    person.tell("age", 1)
    person.tell("age", 2)
    person.do(withdraw(person.seq, comment="a slip"))
    answer = person.answer("age", include_evidence=True, explain=True)
    assert answer.evidence is not None
    assert answer.explanation is not None
    assert [piece.value for piece in answer.evidence] == [1, 2]
    mark = answer.evidence[1].withdrawn
    assert mark is not None
    assert (mark.by, mark.comment) == ("llum", "a slip")
    assert answer.evidence[0].withdrawn is None
    assert [(reason.reason, reason.count) for reason in answer.explanation.left_out] == [("withdrawn", 1)]
    for evidence_filter in (last(10), EvidenceFilter(name="since_time", since_time=0)):
        listed = person.answer("age", include_evidence=True, evidence_filter=evidence_filter).evidence
        assert listed == answer.evidence


def test_before_the_withdrawal_it_counted() -> None:
    """An ask about the past sees the evidence as it was then: unmarked, and counting."""
    person = Person()
    person.tell("age", 1)
    person.tell("age", 2)
    before, before_time = person.seq, person.now - 0.4
    person.do(withdraw(person.seq))
    person.tell("age", 3)
    for seq, time_us, query in (
        (before, 2**62, {"as_of_seq": before}),
        (2**62, round(before_time * 1e6), {"as_of_time": before_time}),
    ):
        past = person.store.load("alice", min(seq, before), time_us)
        assert past is not None
        person_then = Person()
        person_then.model, person_then.store, person_then.seq = past, person.store, person.seq
        answer = person_then.answer("age", include_evidence=True, **query)
        assert answer.value == 2
        assert answer.evidence is not None
        assert all(piece.withdrawn is None for piece in answer.evidence)


def test_who_may_withdraw() -> None:
    """The teller and the owner's apps; to others the evidence looks as if it were not there."""
    person = Person()
    for app in ("probe", "other"):
        person.register(app, ask=True, tell=True)
    person.tell("age", 1, app="probe")
    seq = person.seq
    assert person.refuses(withdraw(seq), "other").code is Code.NO_SUCH_EVIDENCE
    person.do(withdraw(seq), "probe")
    assert person.refuses(withdraw(seq), "probe").code is Code.NO_SUCH_EVIDENCE
    person.tell("age", 2, app="probe")
    person.do(withdraw(person.seq))
    assert person.value("age") is None


@pytest.mark.parametrize("named", [(0, 0), (1, 1), (99, 0), (-1, 0), (2**70, 0), (3, -1), (3, 2**70)])
def test_evidence_that_is_not_there(named: tuple[int, int]) -> None:
    """Whatever the numbers."""
    person = Person()
    person.tell("age", 1)
    person.tell("age", 1)
    assert person.refuses(withdraw(*named)).code is Code.NO_SUCH_EVIDENCE


def test_evidence_of_another_component_is_not_there() -> None:
    """Its numbers name nothing here."""
    person = Person()
    person.tell("firstname", "Al")
    assert person.refuses(withdraw(person.seq)).code is Code.NO_SUCH_EVIDENCE


def test_a_component_without_withdrawals_does_not_look_for_them() -> None:
    """Only the first withdrawal makes reads dearer, and only that component's."""
    person = Person()
    person.tell("age", 1)
    query = Ask(context=["Personal"], view=["age", "firstname"], include_evidence=True, explain=True)
    assert {read.withdrawn for read in person.reads(query)} == {"none"}
    person.do(withdraw(person.seq))
    of_firstname = person.live.context(("Personal",))
    assert of_firstname is not None
    number = of_firstname.components["firstname"].number
    reads = person.reads(query)
    assert {read.withdrawn for read in reads if read.component_no == number} == {"none"}
    assert {read.withdrawn for read in reads if read.component_no != number} == {"none", "left_out", "marked"}
