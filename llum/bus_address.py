"""Where the bus of the llum is that the settings name."""

from typing import TYPE_CHECKING

from bus.credentials import Role
from llum.own_credentials import connected_with_login, with_login
from llum.running import find
from llum.settings import Settings

if TYPE_CHECKING:
    from bus.connection import Bus


def bus_of(settings: Settings) -> str:
    """Give the address that the settings name, or that of the llum that runs on their data folder. Raises a `Fault`."""
    return settings.nats_url or find(settings.data_dir).nats


def bus_as(settings: Settings, role: Role, url: str | None = None) -> str:
    """Give the address of the bus with the login of a role, which is to be shown to nobody; see `with_login`.

    Raises a `Fault` where no llum runs, `InstallationError` where the credentials cannot be read.
    """
    return with_login(settings, role, url or bus_of(settings))


async def connected_as(settings: Settings, role: Role, name: str, url: str | None = None) -> "Bus":
    """Connect to the bus as one of llum's own, also after its password has been replaced.

    Raises as `bus_as` does, and `Transient`.
    """
    return await connected_with_login(settings, role, url or bus_of(settings), name)
