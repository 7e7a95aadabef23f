"""What leaves a partition through its outbox: the kinds of entries, and their bodies."""

from typing import Final

import msgspec

from model.changes import (
    Effect,
    Fired,
    RegistrationChanged,
    RuleSuspended,
    SchedulePlanned,
    WithdrawElsewhere,
    WithdrawFurther,
)
from schemas.causes import Cause, CauseRange
from schemas.effects import Announcement, Sent
from schemas.errors import Error
from schemas.replies import Rejection

REJECTION: Final = "rejection"
"""The body is a `schemas.replies.Rejection`."""

SUSPENDED: Final = "suspended"
"""The body is a `schemas.replies.Rejection` that reports a rule."""

RULE_VERB: Final = "rule"
"""The verb of a rejection that reports a rule."""

FIRED: Final = "fired"
"""The body is a `FiredEntry`."""

SCHEDULE: Final = "schedule"
"""The body is a `ScheduleEntry`."""

REGISTRATION: Final = "registration"
"""The body is a `schemas.effects.Announcement`."""


WITHDRAW_ELSEWHERE: Final = "withdraw_elsewhere"
"""The body is a `WithdrawElsewhereEntry`."""

WITHDRAW_FURTHER: Final = "withdraw_further"
"""The body is a `WithdrawFurtherEntry`."""


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
    but_not: tuple[str, ...] = ()
    """Not these rules."""
    n: int = 0
    """With `seq`, the piece of evidence that has fired them."""


class ScheduleEntry(msgspec.Struct, frozen=True):
    """The next firing of a rule is to be planned, or none any more. Of a user and token the last entry holds."""

    user: str
    path: list[str]
    token: str
    after_s: int | None
    """The first one after this instant, seconds since 1970; null: none any more."""


class GoneEntry(msgspec.Struct, frozen=True):
    """Because of this piece of evidence, which counts no longer, a rule has told another person's model something."""

    seq: int
    n: int
    sent: Sent


class WithdrawElsewhereEntry(msgspec.Struct, frozen=True):
    """What rules have told other people's models because of evidence of this person is to be withdrawn there."""

    user: str
    time: float
    """When the evidence was withdrawn, seconds since 1970."""
    gone: list[GoneEntry]


class WithdrawFurtherEntry(msgspec.Struct, frozen=True):
    """A further command is to withdraw what one could not."""

    user: str
    origins: list[CauseRange]
    by: str


def entry_of(effect: Effect, user: str, seq: int) -> tuple[str, bytes]:
    """Give the kind and the body of the entry for an effect."""
    if isinstance(effect, RegistrationChanged):
        return REGISTRATION, msgspec.json.encode(
            Announcement(user, effect.app, seq, effect.registration, effect.origins)
        )
    if isinstance(effect, RuleSuspended):
        return SUSPENDED, msgspec.json.encode(_report(effect, user, seq))
    if isinstance(effect, WithdrawElsewhere):
        gone = [GoneEntry(one.seq, one.n, one.sent) for one in effect.causes]
        return WITHDRAW_ELSEWHERE, msgspec.json.encode(WithdrawElsewhereEntry(user, effect.time, gone))
    if isinstance(effect, WithdrawFurther):
        return WITHDRAW_FURTHER, msgspec.json.encode(WithdrawFurtherEntry(user, list(effect.origins), effect.by))
    path = list(effect.path)
    if isinstance(effect, Fired):
        return FIRED, msgspec.json.encode(
            FiredEntry(user, path, seq, effect.token, effect.cause, effect.but_not, effect.n)
        )
    after_s = effect.after_s if isinstance(effect, SchedulePlanned) else None
    return SCHEDULE, msgspec.json.encode(ScheduleEntry(user, path, effect.token, after_s))


def rule_report(user: str, app: str, token: str, seq: int, at: float, error: Error) -> Rejection:
    """Give what is kept among the rejected commands of an app about its rule."""
    return Rejection(user=user, app=app, verb=RULE_VERB, id=f"rule-{seq}-{token}", seq=seq, time=at, error=error)


def _report(effect: RuleSuspended, user: str, seq: int) -> Rejection:
    return rule_report(user, effect.app, effect.token, seq, effect.time, effect.error)
