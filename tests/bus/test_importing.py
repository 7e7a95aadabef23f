"""Imports in as many commands as they need, sent to a person in memory."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from bus.as_app import AsApp, LastWrites
from bus.importing import Imported, import_below, send_parts
from model.formats.parcels import MAX_PARCEL_BYTES, Piece, import_commands
from schemas.commands import Command, DeleteContext, Import, MakeComponent, MakeContext
from schemas.definitions import ComponentDefinition, ImportedComponent, ImportedContext
from schemas.errors import Code, Error, LlumError, Refusal, Transient
from schemas.evidence import ImportedEvidence
from schemas.queries import CheckImport, Query
from schemas.replies import Accepted, Outcome, Refused
from schemas.verbs import verb_of
from tests.model.given import Person, picture

HEAD = ImportedContext(path=["New"])
LARGE = "x" * 400_000
"""Two of these fill one command."""


class Memory:
    """Applies and answers for one person, knows commands by their ids, and fails where a test wants it."""

    def __init__(self) -> None:
        self.person = Person()
        self.outcomes: dict[str, Outcome] = {}
        self.verbs: list[str] = []
        self.failing: dict[int, Exception] = {}
        """By the number of the import among those sent."""

    async def send(self, _user: str, app: str, command: Command, _timeout_s: float = 0, **_how: Any) -> Outcome:
        self.verbs.append(verb_of(command))
        failure = self.failing.pop(self.verbs.count("import"), None)
        if failure is not None:
            raise failure
        known = self.outcomes.get(command.id)
        if known is not None:
            return msgspec.structs.replace(known, repeated=True)
        self.outcomes[command.id] = outcome = self._applied(app, command)
        return outcome

    def _applied(self, app: str, command: Command) -> Outcome:
        try:
            result = self.person.do(command, app).result
        except Refusal as refusal:
            return Refused(id=command.id, seq=self.person.seq, error=refusal.error)
        return Accepted(id=command.id, seq=self.person.seq, result=result)

    async def ask(self, _user: str, app: str, query: Query) -> Any:
        self.verbs.append(verb_of(query))
        return self.person.answered(query, app)

    @property
    def model(self) -> AsApp:
        return AsApp(self, "alice", "llum", LastWrites())  # type: ignore[arg-type]


def pieces(*values: Any) -> Iterator[Piece]:
    item = ImportedComponent(definition=ComponentDefinition(name="c"))
    yield Piece(HEAD, item)
    for value in values:
        yield Piece(HEAD, item, ImportedEvidence(value=value, source="app", owner="al", creation_time=1.0))


def parts_of(*values: Any, salt: str = "") -> list[Import]:
    return list(import_commands(pieces(*values), [], salt))


async def imported(memory: Memory, *values: Any) -> Imported:
    return await import_below(memory.model, lambda salt: import_commands(pieces(*values), [], salt), ["New"])


def told(memory: Memory) -> list[str]:
    """Give the first character of each piece of evidence that was imported."""
    memory.person.reload()
    context = memory.person.live.context(("New",))
    component = None if context is None else context.component("c")
    if component is None:
        return []
    rows = [row.evidence for row in memory.person.store.rows if row.evidence.component_no == component.number]
    return [str(row.evidence.value)[0] for row in rows]


async def test_what_fits_into_one_command_is_one() -> None:
    """Nothing is looked at before."""
    memory = Memory()
    done = await imported(memory, "a" + LARGE, "b" + LARGE)
    assert memory.verbs == ["import"]
    assert (done.is_repeated, done.counts["evidence"], told(memory)) == (False, 2, ["a", "b"])


async def test_all_of_a_larger_import_is_looked_at_before_any_is_applied() -> None:
    """Each part once; then they are applied one after the other."""
    memory = Memory()
    done = await imported(memory, *(letter + LARGE for letter in "abcde"))
    assert memory.verbs == ["check_import"] * 3 + ["import"] * 3
    assert (done.counts["components"], done.counts["evidence"], told(memory)) == (1, 5, [*"abcde"])


async def test_a_fault_in_the_last_part_keeps_the_first_out() -> None:
    """The error names the component; the model is as it was."""
    memory = Memory()
    before = picture(memory.person.live)
    with pytest.raises(Refusal, match="New/c: the component takes a string") as caught:
        await imported(memory, *(letter + LARGE for letter in "abcd"), 5)
    assert (caught.value.code, "import" in memory.verbs) == (Code.BAD_VALUE, False)
    assert picture(memory.person.live) == before


async def test_a_piece_that_no_command_can_hold_keeps_all_out() -> None:
    """It says which component it is of."""
    memory = Memory()
    with pytest.raises(Refusal, match="New/c: one piece takes") as caught:
        await imported(memory, "a", "x" * (MAX_PARCEL_BYTES + 5000))
    assert (caught.value.code, memory.verbs.count("import")) == (Code.TOO_LARGE, 0)


FAILURES = [
    Transient(Code.UNAVAILABLE, "no outcome came", "try again", 2.0),
    Refusal(Code.TOO_LARGE, "the disk is small", "field", "buy another"),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda one: type(one).__name__)
async def test_an_import_that_broke_off_is_finished_by_the_same_again(failure: LlumError) -> None:
    """The error says which part it was and what is there; no part is applied twice."""
    memory = Memory()
    values = [letter + LARGE for letter in "abcde"]
    memory.failing = {2: failure}
    with pytest.raises(type(failure), match="part 2 of 3") as caught:
        await imported(memory, *values)
    assert "the first 1 are imported" in str(caught.value.hint)
    assert "import the same again" in str(caught.value.hint)
    assert caught.value.code is failure.code
    assert told(memory) == ["a", "b"]
    done = await imported(memory, *values)
    assert (done.is_repeated, done.counts["evidence"], told(memory)) == (False, 3, [*"abcde"])


async def test_a_part_that_was_refused_is_tried_anew() -> None:
    """llum keeps the refusal of an id; what was in the way may be gone. Parts that were accepted stay."""
    memory = Memory()
    await memory.model.send(MakeContext(id="c", context=[], name="New"))
    number = ComponentDefinition(name="c", value_type="number")
    await memory.model.send(MakeComponent(id="p", context=["New"], component=number))
    for _ in range(2):
        with pytest.raises(Refusal, match="takes a number"):
            await imported(memory, "a")
    await memory.model.send(DeleteContext(id="d", context=["New"]))
    assert not (await imported(memory, "a")).is_repeated
    assert (await imported(memory, "a")).is_repeated
    assert told(memory) == ["a"]


async def test_what_was_deleted_is_imported_anew() -> None:
    """And then not again, until it is deleted again."""
    memory = Memory()
    for number in range(3):
        assert not (await imported(memory, "a", "b")).is_repeated
        assert (await imported(memory, "a", "b")).is_repeated
        assert told(memory) == ["a", "b"]
        await memory.model.send(DeleteContext(id=f"d{number}", context=["New"]))


async def test_what_an_earlier_llum_has_imported_in_other_bytes_is_known() -> None:
    """The same id, and another digest: it is the same import."""
    memory = Memory()
    (command,) = parts_of("a")
    memory.outcomes[command.id] = Refused(id=command.id, seq=9, error=Error(Code.ID_REUSED, "other bytes"))
    done = await send_parts(memory.model, lambda: [command])
    assert (done.is_repeated, done.seq) == (True, 9)


async def test_what_is_skipped_is_named_each_time() -> None:
    """A repeated import makes nothing, and says again what it leaves out."""
    memory = Memory()
    skipped = {"what": "permission", "app": "nobody", "path": ["New"], "code": "no_such_app"}
    memory.outcomes["i"] = Accepted(id="i", seq=3, result={"contexts": 1, "skipped": [skipped]})
    done = await send_parts(memory.model, lambda: [Import(id="i", context=[], contexts=[HEAD])])
    assert (done.skipped, done.is_repeated, dict(done.counts)) == ([skipped], True, {})


def test_a_check_is_about_the_import_that_follows() -> None:
    """It has every member of the command but its id."""
    assert {*Import.__struct_fields__} - {"id"} == {*CheckImport.__struct_fields__} - {"min_seq"}
