"""Who speaks: which app, for which person, let in by what."""

from typing import Literal

import msgspec


class Principal(msgspec.Struct, frozen=True, gc=False):
    """An app that has shown who it is. What it may do is for the model to say."""

    user: str
    """The person whose model it speaks about."""
    app: str
    registration: int
    """The sequence of the command that registered the app: its credentials are good for that registration alone."""
    how: Literal["token", "password"]
