"""What a file about an ontology may hold. `docs/reference/ontologies.md` is the page for those who write one."""

from typing import Annotated, Any

import msgspec

_NAME = msgspec.Meta(pattern=r"^[^_\s/][^\s/]{0,63}$", description="The name of an ontology: what `view` names.")
_PLAIN = msgspec.Meta(min_length=1, max_length=4096, description="Plain words, for people.")

Number = int | float


class WrittenTerm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One setting: what people read of it, and what its values may be."""

    title: Annotated[str, _PLAIN]
    description: Annotated[str, _PLAIN]
    schema: dict[str, Any] = {}
    local: bool = False
    unit: str = ""


class Scale(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two pairs of numbers that are the same on both sides, and the decimals to which either side is rounded."""

    points: tuple[tuple[Number, Number], tuple[Number, Number]]
    decimals: tuple[Annotated[int, msgspec.Meta(ge=0, le=12)], Annotated[int, msgspec.Meta(ge=0, le=12)]]


class WrittenRule(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"source": "from", "target": "to"}, kw_only=True
):
    """What has the same meaning in both ontologies; at most one of the three last members is there."""

    source: str
    target: str
    values: tuple[tuple[Any, Any], ...] | None = None
    scale: Scale | None = None
    blocks: str | None = None


class WrittenMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"target": "to"}):
    """All rules from the file's ontology to another one."""

    target: Annotated[str, _NAME]
    rules: tuple[WrittenRule, ...]


class OntologyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file. Several may be about one ontology: their terms are put together."""

    ontology: Annotated[str, _NAME]
    title: Annotated[str, _PLAIN] | None = None
    description: Annotated[str, _PLAIN] | None = None
    terms: dict[str, WrittenTerm] = {}
    mappings: tuple[WrittenMapping, ...] = ()
