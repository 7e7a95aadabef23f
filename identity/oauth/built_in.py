"""Clients that every installation has."""

from collections.abc import Mapping
from typing import Final

from identity.oauth.client import OAuthClient

COMMAND_LINE: Final = "llum-cli"
"""The command line of people who are not the operator. It may ask to be an owner's app, as it is the person's own tool;
the person is warned, proves once more who they are, and decides."""

_SENSORS: Final = {
    "activity_monitor": ("Activity sensor", "Tells when you become active at a computer, and when idle."),
    "log_sensor": ("Log sensor", "Writes down what you log at a computer."),
}
"""Name and description of each sensor of llum, by its app. Each is a client of its own, so that a person can let one
in, and end it, without the other.
"""


def _sensor(app: str) -> OAuthClient:
    """Make the client of a sensor: without an address it signs in by a short code alone. It cannot be an owner's."""
    name, description = _SENSORS[app]
    return OAuthClient(id=app, name=name, description=description)


BUILT_IN: Final[Mapping[str, OAuthClient]] = {
    COMMAND_LINE: OAuthClient(
        id=COMMAND_LINE,
        name="llum command line",
        redirect_uris=["http://127.0.0.1/callback"],
        may_own=True,
        description="What is typed as llum on a computer of yours.",
    ),
    **{app: _sensor(app) for app in _SENSORS},
}
"""By id. A client of the same id that an administrator makes takes its place."""
