"""Installing a sensor: the owner gives it a place in the model, and the right to tell there and nothing else."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from identity.registrations import access
from llum.people.tokens import sign_in_app
from schemas.errors import Code, Refusal
from sensors.activity import messages as activity
from sensors.log import messages as log

if TYPE_CHECKING:
    from llum.client import Client
    from llum.people.sign_ins import SignIn
    from schemas.commands import Import

TOKEN_LIFETIME_S: Final = 10 * 365 * 86_400.0
"""Seconds that the token of a sensor is good for: it may be away for long, and is revoked when it is removed."""


INSTALLING: "Final[dict[str, Callable[[], Import]]]" = {
    activity.APP: activity.installing,
    log.APP: log.installing,
}
"""What the owner sends to install a sensor, by its app."""


async def install_sensor(client: "Client", user: str, app: str, earlier: "SignIn | None" = None) -> "SignIn":
    """Register a sensor, make its place, let it tell there, and sign it in. Again it only renews its sign-in.

    Raises `Refusal`, `Transient`, `ApiError`.
    """
    await client.send(user, INSTALLING[app]())
    return await sign_in_app(client, user, app, TOKEN_LIFETIME_S, earlier)


async def is_sensor_installed(client: "Client", user: str, app: str) -> bool:
    """Tell whether a sensor is an app of the person. Raises `no_such_model`, `Transient`."""
    try:
        await access(client.requests, user, app)
    except Refusal as refusal:
        if refusal.code is not Code.NO_SUCH_APP:
            raise
        return False
    return True
