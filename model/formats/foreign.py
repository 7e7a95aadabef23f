"""What comes from elsewhere, taken as plainly as it can be: somebody else may have written it.

Its rules are suspended, until the owner activates them. Its corrections are evidence like any other, and its owner apps
are apps like any other, unless the owner lists these kinds (`--accept corrections,roles`).
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Final, Literal, get_args

import msgspec

from model.formats.parcels import Piece
from schemas.definitions import ComponentDefinition, ModelDefinition
from schemas.evidence import ImportedEvidence

Acceptable = Literal["corrections", "roles"]
"""What the owner may have taken as it stands in the file."""

ACCEPTABLE: Final[tuple[Acceptable, ...]] = get_args(Acceptable)

NOTHING_ACCEPTED: Final[frozenset[Acceptable]] = frozenset()


def plain_pieces(pieces: Iterable[Piece], accept: Collection[Acceptable] = NOTHING_ACCEPTED) -> Iterator[Piece]:
    """Take pieces of a model as plainly as they can be. Rules that come with an import are suspended anyway."""
    for piece in pieces:
        part = piece.part
        if isinstance(part, ImportedEvidence) and part.correction and "corrections" not in accept:
            piece = piece._replace(part=msgspec.structs.replace(part, correction=False))
        yield piece


def with_rules_suspended(definition: ModelDefinition) -> ModelDefinition:
    """Take a whole model's definition likewise."""
    contexts = [
        msgspec.structs.replace(context, components=[_with_rules_suspended(one) for one in context.components])
        for context in definition.contexts
    ]
    return ModelDefinition(contexts=contexts)


def count_rules(definition: ModelDefinition) -> int:
    """Count the rules of a definition."""
    return sum(len(component.rules) for context in definition.contexts for component in context.components)


def _with_rules_suspended(definition: ComponentDefinition) -> ComponentDefinition:
    return msgspec.structs.replace(definition, rules_suspended=True) if definition.rules else definition
