"""Laws of causes, over random trees of values that follow from one another, withdrawn in any order.

The naive way: a piece counts unless it, its cause, the cause of that and so on has been withdrawn, or its component
deleted. Whoever looks at the past as an owner sees what was there then, whatever has been withdrawn since.
"""

from typing import Any
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from model.changes import WithdrawFurther
from model.commands import causes
from schemas.apps import RULES_APP
from schemas.commands import DeleteComponent, WithdrawFollowing
from schemas.errors import Code
from schemas.queries import Ask
from schemas.replies import AskReply
from tests.effort import EFFORT

from .causing import because, withdraw
from .causing import given as model_with_rules
from .causing import tell as told
from .given import Person

NAMES = ("src", "der", "third")
LAW = settings(max_examples=60 * EFFORT)

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("tell"), st.sampled_from(NAMES), st.none()),
        st.tuples(st.just("follow"), st.sampled_from(NAMES), st.integers(0, 30)),
        st.tuples(st.just("follow"), st.sampled_from(NAMES), st.integers(0, 30)),
        st.tuples(st.just("withdraw"), st.none(), st.integers(0, 30)),
    ),
    max_size=30,
)
"""What to do, in which component, and with which of the pieces so far."""


class Tree:
    """Values that follow from one another, and which of them count, kept the naive way."""

    def __init__(self) -> None:
        self.person = model_with_rules(*NAMES)
        self.pieces: list[tuple[int, str, int | None]] = []
        """Sequence and component of each, and the sequence of its cause."""
        self.gone: set[int] = set()

    def counts(self, seq: int) -> bool:
        at: int | None = seq
        causes_of = {piece: cause for piece, _, cause in self.pieces}
        while at is not None:
            if at in self.gone:
                return False
            at = causes_of[at]
        return True

    def do(self, what: str, name: str | None, index: int | None) -> None:
        if what == "tell":
            assert name is not None
            self.pieces.append((told(self.person, name), name, None))
        elif self.pieces:
            assert index is not None
            self._with(what, name, self.pieces[index % len(self.pieces)])

    def _with(self, what: str, name: str | None, piece: tuple[int, str, int | None]) -> None:
        seq, of, _ = piece
        command = withdraw(seq, of) if what == "withdraw" else because(seq, of, name or of)
        if not self.counts(seq):
            code = Code.NO_SUCH_EVIDENCE if what == "withdraw" else Code.CAUSE_WITHDRAWN
            assert self.person.refuses(command).code is code
            return
        self._go_on(self.person.do(command).changes)
        if what == "withdraw":
            self.gone.add(seq)
        else:
            self.pieces.append((self.person.seq, name or of, seq))

    def delete(self, name: str) -> None:
        self._go_on(self.person.do(DeleteComponent(id="d", context=["T"], component=name)).changes)
        self.gone |= {seq for seq, of, _ in self.pieces if of == name}

    def _go_on(self, changes: Any) -> None:
        """Do what the outbox would do: go on until nothing is left."""
        while further := [change for change in changes if isinstance(change, WithdrawFurther)]:
            changes = []
            for one in further:
                command = WithdrawFollowing(id="f", origins=list(one.origins), by=one.by)
                changes += self.person.do(command, RULES_APP).changes


def grown(steps: list[Any], deleted: str | None) -> Tree:
    tree = Tree()
    for step in steps:
        tree.do(*step)
    if deleted is not None:
        tree.delete(deleted)
    return tree


@LAW
@given(STEPS, st.one_of(st.none(), st.sampled_from(NAMES)), st.sampled_from([1, 2, 5, 1000]))
def test_what_counts_is_what_has_no_cause_that_went(steps: list[Any], deleted: str | None, together: int) -> None:
    """However many pieces one command withdraws, each piece once; after a restart as before."""
    with mock.patch.object(causes, "MAX_TOGETHER", together):
        tree = grown(steps, deleted)
    marks = [(mark.withdrawn.seq, mark.withdrawn.n) for mark in tree.person.store.marks]
    assert len(marks) == len(set(marks))
    for name in sorted({*NAMES} - {deleted}):
        counting = [seq for seq, of, _ in tree.pieces if of == name and tree.counts(seq)]
        assert _counting(tree.person, name) == counting


@LAW
@given(STEPS, st.one_of(st.none(), st.sampled_from(NAMES)))
def test_withdrawing_never_changes_what_the_past_shows_to_the_owner(steps: list[Any], deleted: str | None) -> None:
    """Values, evidence and explanations, as of each command on the way."""
    tree = Tree()
    seen: list[tuple[int, AskReply]] = []
    for step in steps:
        tree.do(*step)
        seen.append((tree.person.live.seq, _past(tree.person, tree.person.live.seq)))
    if deleted is not None:
        tree.delete(deleted)
    for seq, then in seen:
        assert _past(tree.person, seq) == then


def _counting(person: Person, name: str) -> list[int]:
    evidence = person.answer_at("T", name, include_evidence=True).evidence or []
    return [piece.seq for piece in evidence if piece.withdrawn is None]


def _past(person: Person, seq: int) -> AskReply:
    return person.ask(Ask(context=["T"], include_evidence=True, explain=True, as_of_seq=seq))
