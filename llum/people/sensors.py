"""Installing a sensor: the owner gives it a place in the model, and the right to tell there and nothing else."""

from typing import TYPE_CHECKING

from identity.registrations import access
from schemas.errors import Code, Refusal
from sensors.activity.messages import APP, installing

if TYPE_CHECKING:
    from llum.client import Client


async def install_activity_sensor(client: "Client", user: str) -> None:
    """Register the sensor, make its place, and let it tell there, all in one command. Again it changes nothing.

    Raises `Refusal`, `Transient`.
    """
    await client.send(user, installing())


async def is_activity_sensor_installed(client: "Client", user: str) -> bool:
    """Tell whether the sensor is an app of the person. Raises `no_such_model`, `Transient`."""
    try:
        await access(client.requests, user, APP)
    except Refusal as refusal:
        if refusal.code is not Code.NO_SUCH_APP:
            raise
        return False
    return True
