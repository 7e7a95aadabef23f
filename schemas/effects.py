"""What rules bring about outside their model: notices to URLs, and firings of schedules."""

from typing import Literal

import msgspec

from schemas.limits import PROTOCOL_VERSION


class Notice(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True):
    """A URL is to be told that a rule has fired. Kept in the work queue until it has been delivered or given up."""

    v: int = PROTOCOL_VERSION
    id: str
    """`<seq>.<rule>`: a receiver that gets a notice twice knows it by this."""
    user: str
    app: str
    """Whose rule it is."""
    rule: str
    """The rule's token."""
    path: list[str]
    """The component that it is attached to, from the root."""
    seq: int
    """The command that fired it."""
    time: float
    """When it fired, seconds since 1970."""
    matched: str
    """The text that matched."""
    method: Literal["GET", "POST"]
    url: str


class Sent(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True):
    """What a rule has brought about outside its model: it has told another person's, or a URL is to be called."""

    app: str
    """Whose rule it is."""
    rule: str
    """The rule's token."""
    time: float
    """When that was noted, seconds since 1970."""
    person: str | None = None
    """In whose model something was told; null: a URL is called."""
    path: list[str] = []
    """The component that was told something, from the root."""
    method: Literal["GET", "POST"] = "GET"
    url: str = ""
    """The beginning of the URL, up to the host."""


class NoticeBody(msgspec.Struct, kw_only=True):
    """The JSON of a notice that is delivered with POST."""

    v: int = PROTOCOL_VERSION
    id: str
    user: str
    app: str
    rule: str
    path: list[str]
    seq: int
    time: float
    matched: str


class DeadLetter(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True):
    """A notice that was given up, and why."""

    notice: Notice
    reason: str
    given_up: float
    """Seconds since 1970."""


class Firing(msgspec.Struct, frozen=True):
    """What nats-server publishes when a rule's time has come. With the rule, the instant names the firing."""

    user: str
    path: list[str]
    token: str
    at: int = 0
    """The instant, seconds since 1970. 0: an earlier llum has planned it."""
    seq: int = 0
    """The command that had it planned; of two plans for a rule the later one counts."""
    cron: str = ""
    """The rule's schedule, as it was then."""
    time_zone: str = ""
    """The zone that it went by."""


class Announcement(msgspec.Struct, frozen=True):
    """An app was registered, changed or deleted: what is known of it as of the command `seq` of its person."""

    user: str
    app: str
    seq: int
    registration: int | None
    """The sequence of the command that registered the app; null: it is not registered any more."""
    origins: tuple[str, ...] = ()
    """Where its web pages come from."""
