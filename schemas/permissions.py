"""The parts of a permission, listed once: a command sets them, a model stores them, replies show them."""

from typing import Final

import msgspec


class Permission(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True):
    """What one app may do in one context and below, or with one component.

    A part that is null is not said here. What is said nowhere above either is not allowed (`ask`, `tell`) or not
    restricted (the rest).
    """

    ask: bool | None = None
    tell: bool | None = None
    """Also to make and delete what is there."""
    resolvers: list[str] | None = None
    """Names of the resolvers that the app may use there; empty: all."""
    filters: list[str] | None = None
    """Names of the evidence filters that the app may use there; empty: all."""
    bind_resolver: str | None = None
    """The app gets the value of this resolver whatever it asks for, and no evidence; empty string: unbound."""
    bind_view: str | None = None
    """The app sees only the components of this view of the context; empty string: unbound."""
    expires: float | None = None
    """From then on this setting does not count (seconds since 1970). To set 0 makes it last for ever."""


PERMISSION_PARTS: Final[tuple[str, ...]] = Permission.__struct_fields__
"""The names of the parts."""
