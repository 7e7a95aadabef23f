"""The parts of a permission, listed once: a command sets them, a model stores them, replies show them.

A permission is set in one place: for an app in a context and below, or for one component of it; and for what the app
itself does, or for the rules that it has in another person's model. A slice with several paths is several permissions.
"""

from typing import Any, Final

import msgspec

from schemas.evidence import EvidenceType


class Permission(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True):
    """What one app may do in one context and below, or with one component.

    A part that is null is not said here, and the next setting above counts. What is said nowhere is not allowed (the
    verbs `ask` to `notify`, and `past`) or not restricted (the rest). A setting that says `tell` says the same of
    `make`, `delete` and `rules`, unless it says something else of them.
    """

    ask: bool | None = None
    """To get values, evidence, and what there is."""
    tell: bool | None = None
    """To tell evidence, and to withdraw its own."""
    make: bool | None = None
    """To make contexts, components and views, and to change what they say of themselves."""
    delete: bool | None = None
    """To delete contexts, components and views."""
    rules: bool | None = None
    """To have rules on components that it may ask."""
    notify: bool | None = None
    """To have rules that call a URL, where it may have rules."""
    resolvers: list[str] | None = None
    """Names of the resolvers that the app may use there; empty: all."""
    filters: list[str] | None = None
    """Names of the evidence filters that the app may use there; empty: all."""
    bind_resolver: str | None = None
    """The app gets the value of this resolver whatever it asks for, and no evidence; empty string: unbound."""
    bind_view: str | None = None
    """The app sees only the components of this view of the context; empty string: unbound."""
    types: list[EvidenceType] | None = None
    """The types of evidence that exist for the app; empty: all."""
    past: float | None = None
    """How many seconds back `as_of_seq` and `as_of_time` may ask; 0: not at all."""
    since: float | None = None
    """Evidence that was accepted earlier (seconds since 1970) does not exist for the app; 0: all of it does."""
    expires: float | None = None
    """From then on this setting does not count (seconds since 1970). To set 0 makes it last for ever."""
    purpose: str | None = None
    """What for, in the app's words. Shown, and otherwise without effect."""


PERMISSION_PARTS: Final[tuple[str, ...]] = Permission.__struct_fields__
"""The names of the parts."""

VERBS: Final[tuple[str, ...]] = ("ask", "tell", "make", "delete", "rules", "notify")
"""Those parts that allow something."""

AS_TELL: Final[frozenset[str]] = frozenset({"make", "delete", "rules"})
"""What a setting says of `tell` it says of these, too, unless it names them: once `tell` meant all of them."""


def said(setting: Permission, part: str) -> Any:
    """Give what a setting says of one part; None: nothing."""
    value = getattr(setting, part)
    return setting.tell if value is None and part in AS_TELL else value
