"""Evidence: what an app tells about a component, and what llum keeps of it."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, get_args

import msgspec

EvidenceType = Literal["explicit", "implicit", "exmachina", "inferred", "stereotype"]
ComponentType = Literal["attribute", "activity", "knowledge", "belief", "preference", "goal"]
ValueType = Literal["string", "number", "boolean", "enum", "JSON"]
FilterName = Literal["all", "last1", "last10", "goal", "since_time", "recent_count", "held"]
EVIDENCE_TYPES: Final[tuple[EvidenceType, ...]] = get_args(EvidenceType)
DEFAULT_TYPE: Final[EvidenceType] = "explicit"
"""The type of evidence that names none."""

FILTER_NAMES: tuple[FilterName, ...] = get_args(FilterName)

GOAL_FLAG = "goal"
"""The flag that marks evidence as a wish rather than an observation (Personis)."""


StoredNumber = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
"""A sequence or a number of a piece, as any database can hold it."""


class NewEvidence(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """Evidence as a teller sends it. Times are seconds since 1970 (UTC)."""

    value: Any = None
    evidence_type: EvidenceType = "explicit"
    flags: list[str] = []
    comment: str | None = None
    time: float | None = None
    """When it was true, by the teller's clock. Null if the teller says nothing: it holds from its acceptance."""
    useby: float | None = None
    """From this time on the evidence does not count."""
    extra: dict[str, Any] = {}
    """Other members, kept and given back unchanged."""


class ImportedEvidence(NewEvidence, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """Evidence from elsewhere, with what was stamped on it there."""

    source: str
    owner: str
    creation_time: float
    correction: bool = False
    rule: str | None = None
    withdrawn: "Withdrawal | None" = None


class Evidence(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """Evidence as it is kept and given back. The command's `seq`, and which of its pieces it is (`n`), identify it."""

    seq: int
    n: int = 0
    value: Any = None
    evidence_type: EvidenceType = "explicit"
    source: str
    """The app that told it. llum takes it from the subject; nobody can claim another."""
    owner: str
    """The user whose model this is."""
    flags: list[str] = []
    comment: str | None = None
    time: float | None = None
    """When it was true, as its teller said; null if the teller said nothing."""
    creation_time: float
    """When it was accepted: the log's timestamp."""
    useby: float | None = None
    extra: dict[str, Any] = {}
    correction: bool = False
    """The owner's own word. It counts before all other evidence until it is withdrawn or corrected again."""
    rule: str | None = None
    """The token of the rule that told it."""
    cause: "EvidenceCause | None" = None
    """The piece that fired that rule; null: a schedule did. Shown to owner apps only."""
    withdrawn: "Withdrawal | None" = None
    """It no longer counts. It is shown to owner apps, to explain a value."""

    @property
    def held_from(self) -> float:
        """From when on it held, seconds since 1970: what has no time of its own holds from its acceptance."""
        return self.creation_time if self.time is None else self.time


class EncodedEvidence(Sequence[Evidence]):
    """Evidence as it is stored, in JSON, decoded when somebody looks at it: a reply on its way out need not be."""

    __slots__ = ("_pieces", "bodies")

    def __init__(self, bodies: Sequence[bytes]) -> None:
        self.bodies = bodies
        self._pieces: list[Evidence] | None = None

    @property
    def pieces(self) -> list[Evidence]:
        """The evidence, decoded once."""
        if self._pieces is None:
            self._pieces = [_evidence_decoder.decode(body) for body in self.bodies]
        return self._pieces

    @property
    def encoded(self) -> msgspec.Raw:
        """The evidence as a JSON list."""
        return msgspec.Raw(b"[" + b",".join(self.bodies) + b"]")

    def __len__(self) -> int:
        return len(self.bodies)

    def __getitem__(self, index: Any) -> Any:
        return self.pieces[index]

    def __eq__(self, other: object) -> bool:
        return self.pieces == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self.pieces)


class CausingPiece(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True, gc=False):
    """A piece of evidence from which another one followed."""

    seq: int
    n: int = 0
    person: str | None = None
    """In whose model it is; null: in the same one."""


class EvidenceCause(CausingPiece, kw_only=True, omit_defaults=True, frozen=True, gc=False):
    """What fired the rule that told a piece of evidence, which is withdrawn with it."""

    path: list[str] = []
    """The component of the piece that fired the rule, from the root; empty: it is in another person's model."""
    number: int = 0
    """llum's own number of that component, which an earlier or later one of the same name does not have."""
    read: list[str] = []
    """Paths of the other values that the rule has read, as rules write them. Nothing happens when these change."""


class Withdrawal(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True):
    """Who took evidence back, and when (seconds since 1970)."""

    by: str
    time: float
    comment: str | None = None
    cause: CausingPiece | None = None
    """It was withdrawn because this piece, its cause, no longer counts or has been deleted; null: by itself."""


_evidence_decoder: Final = msgspec.json.Decoder(Evidence)


class EvidenceFilter(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, frozen=True):
    """Which of a component's evidence the resolver gets. Members with the name of a filter belong to that filter."""

    name: FilterName = "all"
    since_time: float | None = None
    """Seconds since 1970; compared with `creation_time`, inclusive."""
    recent_count: int | None = None
    held_from: float | None = None
    """Of the filter `held`: the period's beginning, seconds since 1970; null: it has none. This moment is within it."""
    held_until: float | None = None
    """Of the filter `held`: the period's end; null: it has none. This moment is not within it."""
