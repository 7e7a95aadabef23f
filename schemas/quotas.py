"""How much an app may have in one person's model. The operator changes it, by a command: so a replay agrees."""

from typing import Final

import msgspec


class Quotas(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True):
    """The bounds of one app with one person. An owner's app is bound by `fires_per_minute` and `notices_per_hour` only:
    it could register other apps."""

    things: int = 10_000
    """Contexts, components and views that it has made and that are there: some megabytes of a worker's memory."""
    rules: int = 1000
    """Each is looked at when its component is told something."""
    schedules: int = 100
    """Rules with a schedule. Each is a schedule of nats-server."""
    fires_per_minute: int = 1
    """How often one schedule may fire."""
    notices_per_hour: int = 1000
    """Calls of URLs that its rules set off."""


QUOTA_PARTS: Final[tuple[str, ...]] = Quotas.__struct_fields__
"""The names of the bounds."""

DEFAULT_QUOTAS: Final = Quotas()

MAX_QUOTA: Final = 1_000_000
"""More of anything is no bound."""
