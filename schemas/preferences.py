"""Preferences: put as one body in one ontology, kept as components, given back as the body that was put.

A *safe* is the part of a model below one context, its *place*. In it each ontology (*view*) is a context, each set of
preferences in it (`gpii-default`) a context below, and each setting a component there, whose latest evidence is the
value. A setting is whatever is no object with something in it: a text, number, boolean, null, list or empty object.
"""

from typing import Any, Final, Literal

import msgspec

from schemas.evidence import EvidenceType
from schemas.limits import PROTOCOL_VERSION

PREFERENCES_PLACE: Final[tuple[str, ...]] = ("Preferences",)
"""The place of a person's own preferences, and of a safe that is a model of its own."""

DEFAULT_VIEW: Final = "flat"
"""The ontology that is meant where none is named."""

DEFAULT_SET: Final = "gpii-default"
"""The set that is meant where none is named."""

SAFE_CONTEXT: Final = "Safe"
"""The context of a safe's facts, in a model that llum has made for a key."""

SKELETON: Final = "_set"
"""The component of a view that keeps the body as it was put, with 0 for each setting: order, names and metadata."""

UNSET_FLAG: Final = "unset"
"""Evidence with this flag, whose value is null, says that a setting is not there any more."""

PutMode = Literal["replace", "merge", "patch"]
SafeType = Literal["user", "snapset"]


class SafeFacts(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is kept of a safe beside its preferences: each is a component of the context `Safe`."""

    key: str | None = None
    """The key that it was first made for."""
    type: SafeType = "user"
    """`snapset`: nobody changes its preferences."""
    name: str | None = None
    password: str | None = None
    email: str | None = None
    created: str | None = None
    """`2020-11-23T10:00:00.000Z`; null: when the command was accepted."""
    updated: str | None = None
    id: str | None = None
    """The `_id` of the document that it was loaded from."""
    document: dict[str, Any] = {}
    """Other members of that document."""
    sets: dict[str, Any] = {}
    """What it holds in further views, in their order, behind that of the command."""


class PutPreferences(
    msgspec.Struct,
    kw_only=True,
    tag_field="verb",
    tag="put_preferences",
    omit_defaults=True,
    forbid_unknown_fields=True,
):
    """Put preferences into one view, all or none. Needs `tell` on each setting that changes, `make` for what is new.

    What the body has not, and the view has, is unset (`replace`). Result: {"made": …}, whether a model was made.
    """

    id: str
    v: int = PROTOCOL_VERSION
    context: list[str] = msgspec.field(default_factory=lambda: ["Preferences"])
    """The place of the safe."""
    view: str
    """The ontology. No name with a `_` in front."""
    body: Any = None
    """An object: `{"contexts": {"gpii-default": {"preferences": {…}}}}`. With `make` null: the safe holds nothing."""
    mode: PutMode = "replace"
    """`merge`: what the view has stays, objects are merged and lists item by item. `patch`: an RFC 7396 merge patch, in
    which null unsets and lists are replaced."""
    equivalents: dict[str, dict[str, Any]] = {}
    """By view and set, the settings that say the same there: they are unset there. Not with `merge`."""
    evidence_type: EvidenceType = "explicit"
    comment: str | None = None
    make: SafeFacts | None = None
    """As `_preferences` only: if the person has no model, make it, with these facts and the body as it is."""


class PreferencesReply(msgspec.Struct, kw_only=True, tag_field="reply", tag="preferences", omit_defaults=True):
    """The preferences of a safe as they were put, as far as the app may ask them."""

    v: int = PROTOCOL_VERSION
    seq: int
    """The sequence of the last command that the answer reflects."""
    sets: dict[str, Any] = {}
    """By view, in the order in which the views were made; empty: there are none."""
    type: SafeType = "user"
    updated: str | None = None
    """When preferences were last put, after the safe was made; null: never, or it is no model that a key has made."""
