"""What could not be written is refused before it is applied: what has been said of a command must stay true."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors import live
from actors.live import ActiveModels
from actors.partition import Partition
from actors.store.batch import Batch, Unwritable, check_writable
from actors.store.shard import Shard
from model.changes import AddEvidence, Change, CountCause, Decision, MarkWithdrawn, add, drop
from model.stamp import Stamp
from model.state import Model
from schemas.commands import Command, MakeModel, Tell
from schemas.errors import Code
from schemas.evidence import Evidence, NewEvidence
from schemas.queries import Ask
from schemas.replies import Accepted, Refused
from tests.actors import histories
from tests.actors.answering import ask

EVIDENCE = Evidence(seq=1, source="llum", owner="alice", time=1.0, creation_time=0.0)

numbers = st.one_of(st.integers(), st.sampled_from([2**63 - 1, 2**63, -(2**63), -(2**63) - 1]))
texts = st.text(st.characters(codec=None), min_size=1)
changes: st.SearchStrategy[Change] = st.one_of(
    st.builds(lambda no, at: add(EVIDENCE, no, at), numbers, numbers),
    st.builds(lambda path: drop("view", tuple(path)), st.lists(texts, min_size=1, max_size=3)),
    st.builds(lambda no, seq, n: MarkWithdrawn(no % 1000, seq, n, b"{}"), numbers, numbers, numbers),
    st.builds(lambda root: CountCause(root, 1), texts),
)


def is_writable(change: Change) -> bool:
    try:
        check_writable([change])
    except Unwritable:
        return False
    return True


@given(st.lists(changes, max_size=8, unique_by=repr))
async def test_what_passes_the_check_is_written(tmp_path_factory: pytest.TempPathFactory, made: list[Change]) -> None:
    """Numbers at the bounds of SQLite's, texts with zeros, lone surrogates left out."""
    shard = await Shard.open(tmp_path_factory.mktemp("shard") / "3.db")
    batch = Batch()
    for seq, change in enumerate(filter(is_writable, made), 1):
        batch.add_changes(1, "alice", [change], seq, 0)
        batch.applied_seq = seq
    await shard.write(batch)
    await shard.close()


@pytest.mark.parametrize(
    "change",
    [
        add(EVIDENCE, 7, 2**63),
        drop("view", ("a", "\ud800")),
        MarkWithdrawn(7, 2**63, 0, b"{}"),
        CountCause("\udfff", 1),
    ],
)
def test_what_cannot_be_written_is_found(change: Change) -> None:
    """A number that SQLite has no room for, and a text that is not Unicode."""
    assert not is_writable(change)


async def test_it_is_refused_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands before and after it are applied and committed; the model is as if it had not been."""
    decide = live.decide_at_once

    def decide_too_much(model: Model, command: Command, stamp: Stamp, *known: Any) -> Decision | None:
        decision = decide(model, command, stamp, *known)
        if command.id == "t2":
            assert decision is not None
            (change,) = decision.changes
            assert isinstance(change, AddEvidence)
            return Decision([add(change.evidence, change.component_no, 2**64)])
        return decision

    monkeypatch.setattr(live, "decide_at_once", decide_too_much)
    tells = [Tell(id=f"t{n}", context=["a"], component="b", evidence=NewEvidence(value=n)) for n in range(5)]
    log = [
        histories.message(seq, histories.START_US + seq, "alice", "llum", command)
        for seq, command in enumerate([MakeModel(id="make", definition=histories.DEFINITION), *tells], 1)
    ]
    shard = await Shard.open(tmp_path / "3.db")
    partition = Partition(3, shard, ActiveModels(10))
    outcomes = [one.outcome for one in await partition.apply(log)]
    assert [type(one) for one in outcomes] == [Accepted, Accepted, Accepted, Refused, Accepted, Accepted]
    assert isinstance(outcomes[3], Refused)
    assert outcomes[3].error.code is Code.INTERNAL
    assert partition.committed_seq >= outcomes[3].seq, "it is committed before it is said"
    reply = await ask(partition, Ask(context=["a"], view=["b"], include_evidence=True))
    assert [piece.value for piece in reply.components[0].evidence or []] == [1, 0, 1, 3, 4]
    await shard.close()
