"""What may come of an attempt to deliver a notice."""

from typing import NamedTuple


class Failure(NamedTuple):
    """Why an attempt has failed; `final`: no other attempt would succeed."""

    reason: str
    final: bool = False
    again_after_s: float = 0.0
    """As the receiver asked for."""
