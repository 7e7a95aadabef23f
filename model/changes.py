"""What applying a command leaves to be stored. The shard writes these; the model does not know how.

Items are the structure of a model (its contexts, components, views, apps, permissions), each under a kind and a
key, each kept in all its versions, so that a model can be loaded as it was at any sequence or time. Evidence is
only ever added.
"""

import msgspec


class PutItem(msgspec.Struct, frozen=True, gc=False):
    """Set (or, with body None, drop) one item of the model's structure."""

    kind: str
    key: str
    body: bytes | None
    """JSON."""


class AddEvidence(msgspec.Struct, frozen=True, gc=False):
    """Add a piece of evidence to a component. With the command's `seq`, `n` makes it unique in the model."""

    component_no: int
    n: int
    is_goal: bool
    creation_us: int
    useby: float | None
    body: bytes
    """JSON of `schemas.evidence.Evidence`."""


Change = PutItem | AddEvidence


class Item(msgspec.Struct, frozen=True, gc=False):
    """A stored item as the shard gives it back when a model is loaded."""

    kind: str
    key: str
    body: bytes
