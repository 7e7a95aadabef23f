"""A slice of a model: what an app asks for and what a person grants it, as one object (RFC 9396).

An error says by a slice which right is missing, so this module imports no errors: what reads and checks slices stands
in `schemas.slicing` and `schemas.scopes`.
"""

from typing import Final, Literal, get_args

import msgspec

from schemas.evidence import EvidenceType

Action = Literal["ask", "tell", "make", "delete", "rules", "notify"]
"""A verb of a permission."""

ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
"""In the order in which slices name them."""

SLICE_TYPE: Final = "llum_model"
"""The `type` of an object of `authorization_details` that is about a model."""


class Slice(
    msgspec.Struct,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    frozen=True,
    tag_field="type",
    tag=SLICE_TYPE,
):
    """Places of a model, and what an app may do there. Paths are written with `/`."""

    paths: list[str] = []
    """Contexts, each with all below it; an empty string is the whole model. They need not be there."""
    components: list[str] = []
    """Single components."""
    actions: list[Action] = []
    denied: list[Action] = []
    """What it may not do there, although it may around it."""
    resolver: str | None = None
    """The app gets this resolver's value and no evidence; null: it is not limited."""
    view: str | None = None
    """The app gets only the components of this view of each path; null: it is not limited."""
    resolvers: list[str] = []
    """The resolvers that it may use; empty: all."""
    filters: list[str] = []
    """The evidence filters that it may use; empty: all."""
    datatypes: list[EvidenceType] = []
    """The types of evidence that exist for the app; empty: all."""
    past: float | None = None
    """How many seconds back it may ask; null: not at all."""
    since: float | None = None
    """Evidence that was accepted earlier (seconds since 1970) does not exist for the app; null: all of it does."""
    whose_rules: str | None = None
    """It is for the rules that the app has in this person's model; null: for the app itself."""
    purpose: str | None = None
    """What for, in the app's words."""
    expires: float | None = None
    """Until when it counts (seconds since 1970); null: for ever."""
