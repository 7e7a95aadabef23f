"""The newest evidence in memory gives what the disk would give, or nothing."""

from collections.abc import Sequence
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from model.changes import AddEvidence, MarkWithdrawn, add, mark_withdrawn
from model.reads import MAX_READ_BYTES, Found, Read
from model.state import Context, ContextItem, Model
from model.tails import MAX_TAIL_BYTES, MAX_TAIL_PIECES, Tails
from schemas.evidence import Evidence, Withdrawal
from schemas.recent import Room
from tests.model.memory_store import MemoryStore

COMPONENTS = [7, 8]
MARK = Withdrawal(by="llum", time=5.0)
ENOUGH = 1 << 20
MOMENTS = [0.0, 2e-6, 5e-6, 1e-5, 2e-5]


class Person:
    """A model of which nothing but the evidence matters, with its tails and a store that has everything."""

    def __init__(self, room: Room) -> None:
        self.model = Model("alice", Context(ContextItem(created_us=0)))
        self.store = MemoryStore()
        self.tails = Tails(room)
        self.there: list[AddEvidence] = []
        self.withdrawn: set[int] = set()
        """The components that have withdrawals."""

    def apply(self, time_us: int, *changes: AddEvidence | MarkWithdrawn) -> None:
        """Take what one command changes; the tails hear of it first, as the caches do."""
        seq = self.model.seq + 1
        for change in changes:
            if isinstance(change, AddEvidence):
                self.tails.add(change)
            else:
                self.withdrawn.add(change.component_no)
                self.tails.withdraw(change)
            self.model.seq, self.model.time_us = seq, time_us
        self.store.keep(changes, seq, time_us)

    def tell(self, count: int = 1, **members: Any) -> None:
        """Tell so many pieces, a microsecond apart."""
        for _ in range(count):
            time_us = self.model.time_us + 1
            self.apply(time_us, add(piece(self.model.seq + 1, 0, time_us, **members), 7, time_us))

    def found(self, read: Read) -> Found:
        """Read as an ask does: from memory, or from the disk, which is remembered. Both must agree."""
        (stored,) = self.store.read([read])
        whole = self.tails.whole(read.component_no)
        assert whole is None or read.component_no in self.withdrawn or whole == self.stored(read.component_no)
        found = self.tails.find(read, self.model)
        if found is None:
            # A component with withdrawals is never read as if it had none.
            if read.withdrawn != "none" or read.component_no not in self.withdrawn:
                self.tails.learn(read, stored, self.model)
            return stored
        assert found == stored
        return found

    def stored(self, number: int) -> list[bytes]:
        """Give all evidence of a component."""
        return self.store.read([Read(component_no=number, seq_max=self.model.seq, limit=ENOUGH)])[0].bodies

    def is_remembered(self, **bounds: Any) -> bool:
        """Tell whether a read of component 7 comes from memory, and see that it gives what is stored."""
        return self.tails.find(self.read(**bounds), self.model) == self.store.read([self.read(**bounds)])[0]

    def read(self, **bounds: Any) -> Read:
        return Read(component_no=7, seq_max=self.model.seq, **({"limit": 1000} | bounds))


def piece(seq: int, n: int, creation_us: int, **members: Any) -> Evidence:
    members = {"time": 1.0} | members
    return Evidence(seq=seq, n=n, source="llum", owner="alice", creation_time=creation_us / 1e6, **members)


@st.composite
def added(draw: st.DrawFn, seq: int, n: int, time_us: int) -> AddEvidence:
    """A piece of evidence; some are imported, and older than their command."""
    creation_us = time_us - draw(st.sampled_from([0, 0, 0, 2, 5]))
    evidence = piece(
        seq,
        n,
        creation_us,
        value=draw(st.sampled_from(["x", "withdrawn", "v" * 4000])),
        flags=draw(st.sampled_from([[], ["goal"]])),
        correction=draw(st.integers(0, 4)) == 0,
        useby=draw(st.sampled_from([None, None, 3.0, 9.0])),
        time=draw(st.sampled_from([None, None, *MOMENTS])),
    )
    return add(evidence, draw(st.sampled_from(COMPONENTS)), creation_us)


@st.composite
def reads(draw: st.DrawFn, model: Model) -> Read:
    newest = draw(st.sampled_from([None, 1, 2, 5, 100]))
    by_held = draw(st.booleans())
    after = draw(st.one_of(st.none(), st.none(), st.tuples(st.integers(0, model.seq), st.integers(-1, 2))))
    return Read(
        by_held=by_held,
        held_from=draw(st.sampled_from([None, None, *MOMENTS])) if by_held else None,
        held_until=draw(st.sampled_from([None, None, *MOMENTS])),
        after_held=draw(st.sampled_from(MOMENTS)) if by_held and after is not None else None,
        held_order=True,
        component_no=draw(st.sampled_from(COMPONENTS)),
        seq_max=model.seq - draw(st.sampled_from([0, 0, 0, 0, 1])),
        until_us=draw(st.sampled_from([None, None, None, model.time_us, model.time_us - 2])),
        kind=draw(st.sampled_from([None, None, "plain", "goal", "correction"])),
        since_us=draw(st.one_of(st.none(), st.integers(-5, 4).map(lambda back: model.time_us + back))),
        after=after,
        unexpired_at=draw(st.sampled_from([None, None, 3.0, 5.0])),
        types=draw(st.sampled_from([None, None, None, frozenset({"explicit"})])),
        withdrawn=draw(st.sampled_from(["none", "left_out", "marked"])),
        newest=newest,
        limit=newest or draw(st.sampled_from([1, 3, 100])),
        before=draw(st.sampled_from([None, None, None, (model.seq, 0)])),
        max_bytes=draw(st.sampled_from([MAX_READ_BYTES, MAX_READ_BYTES, MAX_TAIL_BYTES + 1, 5000, 100])),
        count_only=draw(st.sampled_from([False, False, False, True])),
    )


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from([0, 1500, 20_000, ENOUGH]))
def test_memory_never_says_anything_else_than_the_disk(data: st.DataObject, room_bytes: int) -> None:
    """Whatever is told, imported, withdrawn and read in between, however large the room: what memory gives is right."""
    person = Person(Room(room_bytes))
    for _ in range(data.draw(st.integers(1, 25))):
        if data.draw(st.booleans()):
            person.found(data.draw(reads(person.model)))
            continue
        seq, time_us = person.model.seq + 1, person.model.time_us + data.draw(st.integers(0, 3))
        pieces = [data.draw(added(seq, n, time_us)) for n in range(data.draw(st.sampled_from([1, 1, 1, 2, 3])))]
        marks = []
        person.there += pieces
        while person.there and data.draw(st.integers(0, 4)) == 0:
            one = person.there.pop(data.draw(st.integers(0, len(person.there) - 1)))
            marks.append(mark_withdrawn(one.component_no, one.evidence.seq, one.n, MARK))
        person.apply(time_us, *pieces, *marks)


def test_what_was_read_once_is_kept_up_to_date() -> None:
    """The first read goes to the disk; those after it do not, whatever is told meanwhile."""
    person = Person(Room(ENOUGH))
    person.tell(20)
    assert not person.is_remembered(newest=10)
    person.found(person.read(newest=10))
    person.tell(5)
    assert person.is_remembered(newest=10)
    assert person.is_remembered(newest=15)
    assert not person.is_remembered(newest=16)


def test_what_was_told_since_the_first_read_is_all_there() -> None:
    """By number, by time and by place: whatever the first read was about."""
    person = Person(Room(ENOUGH))
    person.tell(200)
    person.found(person.read(kind="goal"))
    began_us, first = person.model.time_us, (person.model.seq + 1, 0)
    person.tell(30, flags=["goal"])
    assert person.is_remembered(newest=30)
    assert person.is_remembered(newest=30, kind="goal")
    assert person.is_remembered(since_us=began_us + 1)
    assert person.is_remembered(after=first, count_only=True)
    assert not person.is_remembered(since_us=began_us)
    assert not person.is_remembered()


def test_what_was_accepted_since_a_time_is_there_after_it_was_read() -> None:
    """The steps of today are read once."""
    person = Person(Room(ENOUGH))
    person.tell(100)
    since_us = person.model.time_us - 20
    person.found(person.read(since_us=since_us))
    person.tell(10)
    assert person.is_remembered(since_us=since_us)
    assert person.is_remembered(since_us=since_us + 5, kind="plain")
    assert not person.is_remembered(since_us=since_us - 1)
    assert not person.is_remembered(newest=11), "that it has all of a time says nothing of places"


def test_of_little_evidence_all_is_there() -> None:
    """A read that found less than it might have has found everything."""
    person = Person(Room(ENOUGH))
    person.tell(3)
    person.found(person.read(newest=10))
    person.tell(2)
    assert person.is_remembered()
    assert person.is_remembered(count_only=True)
    assert person.is_remembered(newest=2000, kind="correction")


def test_what_was_cut_is_not_all() -> None:
    """A read that ended because of its bytes says nothing of what it did not get to."""
    person = Person(Room(ENOUGH))
    person.tell(8, value="x" * 3000)
    bound = MAX_TAIL_BYTES + 1
    assert person.found(person.read(newest=100, max_bytes=bound)).cut
    assert not person.is_remembered(newest=8)
    assert not person.is_remembered()
    assert person.found(person.read(max_bytes=bound)).cut
    assert not person.is_remembered()
    assert person.is_remembered(newest=2)


def test_a_tail_is_bounded() -> None:
    """The oldest pieces go when there are too many, or when they are too large; what is left is still served."""
    person = Person(Room(ENOUGH))
    person.found(person.read())
    person.tell(MAX_TAIL_PIECES + 1)
    assert person.is_remembered(newest=MAX_TAIL_PIECES)
    assert not person.is_remembered()
    person.tell(1, value="x" * (MAX_TAIL_BYTES // 2))
    person.tell(1, value="x" * (MAX_TAIL_BYTES // 2))
    assert person.is_remembered(newest=1)
    assert not person.is_remembered(newest=2)
    person.tell(1, value="x" * MAX_TAIL_BYTES)
    assert not person.is_remembered(newest=1)
    person.tell()
    assert person.is_remembered(newest=1)


def test_a_component_whose_evidence_nobody_reads_costs_nothing() -> None:
    """Tells alone keep nothing."""
    room = Room(ENOUGH)
    person = Person(room)
    person.tell(10)
    assert room.used == 0


def test_the_room_is_shared() -> None:
    """Whoever's evidence was neither read nor added to for longest gives way, and reads from the disk again."""
    room = Room(4000)
    alice, bob = Person(room), Person(room)
    for person in (alice, bob):
        person.found(person.read())
        person.tell(4)
    assert alice.is_remembered()
    bob.tell(8)
    assert room.used <= 4000
    assert bob.is_remembered()
    assert not alice.is_remembered()
    alice.found(alice.read())
    assert alice.is_remembered()


def test_what_is_dropped_leaves_the_room() -> None:
    """A component that is no more, and a model that is passivated, take no place."""
    room = Room(ENOUGH)
    person = Person(room)
    person.tell(4)
    person.found(person.read())
    assert room.used > 0
    person.tails.drop(7)
    assert room.used == 0
    person.found(person.read())
    person.tails.leave()
    assert room.used == 0
    assert not person.is_remembered()


@settings(max_examples=50)
@example(["withdrawn", '","withdrawn":{}}'])
@given(st.lists(st.text(max_size=5), max_size=5))
def test_marks_that_were_read_are_marks_that_are_kept(values: Sequence[str]) -> None:
    """What the disk gives with its mark is given without, too, and not at all where marked evidence is left out."""
    person = Person(Room(ENOUGH))
    for value in values:
        person.tell(value=value)
    for seq in range(1, len(values) + 1, 2):
        person.apply(person.model.time_us, mark_withdrawn(7, seq, 0, MARK))
    person.found(person.read(withdrawn="marked"))
    for withdrawn in ("none", "left_out", "marked"):
        assert person.is_remembered(withdrawn=withdrawn)
