"""The packer of imports: whatever is packed comes out again, in order, in commands of bounded size."""

from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.formats import parcels
from model.formats.parcels import Piece, import_commands
from schemas.commands import Import
from schemas.definitions import ComponentDefinition, ImportedComponent, ImportedContext, ImportedRule, ViewDefinition
from schemas.evidence import ImportedEvidence


def named(name: str) -> ImportedComponent:
    return ImportedComponent(definition=ComponentDefinition(name=name))


def evidence(value: object) -> ImportedEvidence:
    return ImportedEvidence(value=value, source="app", owner="alice", creation_time=1.0)


def context_pieces(name: str, counts: list[int], views: int) -> Iterator[Piece]:
    """A context with a component for each count, which has so many pieces of evidence, and views."""
    context = ImportedContext(path=[name], description=f"about {name}")
    yield Piece(context)
    for number, count in enumerate(counts):
        component = named(f"c{number}")
        yield Piece(context, component)
        yield from (Piece(context, component, evidence(value)) for value in range(count))
        yield from (Piece(context, component, ImportedRule(statement=f"{value}")) for value in range(count % 3))
    yield from (Piece(context, ViewDefinition(name=f"v{number}", components=["c0"])) for number in range(views))


def unpacked(commands: list[Import]) -> list[Piece]:
    """Take commands apart; what goes on with something names it again, which is left out."""
    found: list[Piece] = []
    for context in (context for command in commands for context in command.contexts):
        head = msgspec.structs.replace(context, components=[], views=[])
        found += [Piece(head)] if Piece(head) not in found else []
        for component in context.components:
            begun = msgspec.structs.replace(component, evidence=[], rules=[])
            found += [Piece(head, begun)] if Piece(head, begun) not in found else []
            found += [Piece(head, begun, one) for one in component.evidence + component.rules]
        found += [Piece(head, view) for view in context.views]
    return found


CONTEXTS = st.lists(st.tuples(st.lists(st.integers(0, 5), max_size=3), st.integers(0, 2)), min_size=1, max_size=4)


@settings(deadline=None)
@given(contexts=CONTEXTS, things=st.integers(1, 12))
def test_what_is_packed_comes_out_again(contexts: list[tuple[list[int], int]], things: int) -> None:
    """All of it, in its order, however little goes into one command; and no two commands have the same id."""
    pieces = [piece for number, what in enumerate(contexts) for piece in context_pieces(f"n{number}", *what)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parcels, "MAX_PARCEL_THINGS", things)
        commands = list(import_commands(pieces, ["to"]))

    assert unpacked(commands) == pieces
    assert len({command.id for command in commands}) == len(commands)


def test_commands_are_large_but_bounded() -> None:
    """A command is filled up to its bytes, and a piece that alone is larger goes with nothing else."""
    context, component = ImportedContext(path=["n"]), named("c")
    values = ["x" * 1000] * 2000 + ["y" * (parcels.MAX_PARCEL_BYTES + 1)] + ["z"]

    commands = list(import_commands([Piece(context, component, evidence(value)) for value in values], []))
    sizes = [len(msgspec.json.encode(command.contexts)) for command in commands]

    assert len(commands) == 5
    assert all(size > 0.9 * parcels.MAX_PARCEL_BYTES for size in sizes[:2])
    assert [size > parcels.MAX_PARCEL_BYTES for size in sizes] == [False, False, False, True, False]


def test_the_same_import_has_the_same_ids_and_another_salt_other_ones() -> None:
    """So an import that is repeated changes nothing, and one that must count anew can."""
    pieces = list(context_pieces("n", [3], 1))

    (first,), (again,), (salted,) = (list(import_commands(pieces, [], salt)) for salt in ("", "", "anew"))

    assert first == again
    assert salted.id != first.id
    assert salted.contexts == first.contexts


def test_equal_commands_in_one_import_differ_in_their_ids() -> None:
    """Evidence that was told twice is imported twice, also when it fills two commands that say the same."""
    context, component = ImportedContext(path=["n"]), named("c")
    pieces = [Piece(context, component, evidence(1)) for _ in range(3 * parcels.MAX_PARCEL_THINGS)]

    commands = list(import_commands(pieces, []))

    assert commands[0].contexts == commands[1].contexts
    assert len({command.id for command in commands}) == len(commands)
