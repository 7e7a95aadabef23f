"""What leaves a partition through its outbox: the kinds of entries, and their bodies."""

from typing import Final

import msgspec

from model.changes import Effect, Fired, RegistrationChanged, ScheduleSet
from schemas.commands import Cause
from schemas.effects import Announcement

REJECTION: Final = "rejection"
"""The body is a `schemas.replies.Rejection`."""

FIRED: Final = "fired"
"""The body is a `FiredEntry`."""

SCHEDULE: Final = "schedule"
"""The body is a `ScheduleEntry`."""

REGISTRATION: Final = "registration"
"""The body is a `schemas.effects.Announcement`."""


class FiredEntry(msgspec.Struct, frozen=True):
    """The rules of a component are to be evaluated as of `seq`."""

    user: str
    path: list[str]
    """Of the component, from the root."""
    seq: int
    token: str | None
    """Only this rule; null: every rule of the component that has no schedule."""
    cause: Cause | None
    """That of the command; null: the command itself is the first cause."""


class ScheduleEntry(msgspec.Struct, frozen=True):
    """A rule is to be fired on a schedule, or no longer. For the same user and token the last entry holds."""

    user: str
    path: list[str]
    token: str
    cron: str | None
    """As it was written, five fields; null: no longer."""


def entry_of(effect: Effect, user: str, seq: int) -> tuple[str, bytes]:
    """Give the kind and the body of the entry for an effect."""
    if isinstance(effect, RegistrationChanged):
        return REGISTRATION, msgspec.json.encode(
            Announcement(user, effect.app, seq, effect.registration, effect.origins)
        )
    path = list(effect.path)
    if isinstance(effect, Fired):
        return FIRED, msgspec.json.encode(FiredEntry(user, path, seq, effect.token, effect.cause))
    cron = effect.cron if isinstance(effect, ScheduleSet) else None
    return SCHEDULE, msgspec.json.encode(ScheduleEntry(user, path, effect.token, cron))
