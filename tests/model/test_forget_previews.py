"""A preview of forgetting a part equals what then happens: over random models and parts."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from model.evidence import to_us
from schemas.commands import DeleteComponent
from schemas.errors import Code
from schemas.evidence import Evidence
from schemas.parts import ForgetPart
from schemas.queries import Consequences
from schemas.replies import ConsequencesReply
from tests.effort import EFFORT

from .given import START_US, Person
from .memory_store import Row
from .test_previews import COMPONENTS, HISTORIES, all_values, at, in_order, lived, numbers, what_happened

SECONDS = st.one_of(st.none(), st.integers(0, 40).map(lambda seconds: START_US / 1e6 + seconds))
PERIODS = st.fixed_dictionaries(
    {"accepted_from": SECONDS, "accepted_until": SECONDS, "held_from": SECONDS, "held_until": SECONDS}
)
PARTS = st.one_of(
    st.builds(
        lambda name, seq, n: ForgetPart(**at(name), seq=seq, n=n),
        st.sampled_from(COMPONENTS),
        st.one_of(st.none(), st.integers(0, 30)),
        st.none(),
    ),
    st.builds(lambda app: ForgetPart(id="f", source=app), st.sampled_from(["llum", "probe"])),
    st.builds(lambda period, app: ForgetPart(id="f", source=app, **period), PERIODS, st.sampled_from([None, "llum"])),
    st.builds(lambda name, period: ForgetPart(**at(name), **period), st.sampled_from(COMPONENTS), PERIODS),
)

Key = tuple[int, int, int]


def key(row: Row) -> Key:
    return row.evidence.component_no, row.seq, row.evidence.n


def is_meant(part: ForgetPart, path: tuple[str, ...] | None, piece: Evidence) -> bool:
    """Say whether a piece is in a part, as plainly as can be."""
    held = piece.creation_time if piece.time is None else piece.time
    return all(
        (
            part.component is None or path == (*(part.context or ()), part.component),
            part.seq is None or piece.seq == part.seq,
            part.n is None or piece.n == part.n,
            part.source is None or piece.source == part.source,
            part.accepted_from is None or to_us(piece.creation_time) >= to_us(part.accepted_from),
            part.accepted_until is None or to_us(piece.creation_time) < to_us(part.accepted_until),
            part.held_from is None or held >= part.held_from,
            part.held_until is None or held < part.held_until,
        )
    )


def forget(person: Person, part: ForgetPart) -> set[Key]:
    """Forget a part in the store, with what has been derived from it, and load the model anew; say what has gone."""
    paths = {number: path for path, number in numbers(person).items()}
    store = person.store
    gone = {
        key(row) for row in store.rows if is_meant(part, paths.get(row.evidence.component_no), row.evidence.evidence)
    }
    while (
        more := {
            (one.component_no, one.seq, one.n)
            for one in store.consequences
            if one.sent is None and (one.cause_no, *one.cause) in gone
        }
        - gone
    ):
        gone |= more
    store.rows = [row for row in store.rows if key(row) not in gone]
    whole = ForgetPart(id=part.id, context=part.context, component=part.component)
    if part == whole and part.component is not None:
        # What has been told because of a piece that never was there stays: nothing of it is in the part.
        store.consequences = [one for one in store.consequences if (one.cause_no, *one.cause) in gone]
        person.do(DeleteComponent(id="d", context=part.context or [], component=part.component))
    person.reload()
    return {one for one in gone if one[0] in paths}


@settings(max_examples=60 * EFFORT)
@given(HISTORIES, PARTS, st.integers(0, 70))
def test_a_preview_of_forgetting_equals_what_then_happens(history: list[Any], part: ForgetPart, at_s: int) -> None:
    """Each value, and each piece of the components that there are."""
    person = lived(history)
    now = START_US / 1e6 + at_s
    if part == ForgetPart(id=part.id):
        assert person.refuses_ask(Consequences(command=part)).code is Code.BAD_FIELD
        return
    reply = person.answered(Consequences(command=part), "llum", now)
    assert isinstance(reply, ConsequencesReply)
    before = all_values(person, "llum", now)
    gone = forget(person, part)
    assert in_order(reply.values) == in_order(what_happened(before, all_values(person, "llum", now)))
    assert sorted((one.seq, one.n) for one in reply.pieces) == sorted((seq, n) for _, seq, n in gone)
    assert reply.cut is None


def test_only_an_owner_sees_what_would_be_forgotten() -> None:
    """As only an owner may forget."""
    person = lived([])
    error = person.refuses_ask(Consequences(command=ForgetPart(id="f", source="probe")), "probe")
    assert error.code is Code.PERMISSION_DENIED


def test_a_component_is_forgotten_with_its_rules() -> None:
    """They are listed, and the component is said to go."""
    person = lived([])
    reply = person.answered(Consequences(command=ForgetPart(**at("age"))))
    assert [(one.path, one.goes) for one in reply.values] == [(["Personal", "age"], True)]
    assert [one.path for one in reply.rules] == [["Personal", "age"]]
