"""Where the bus is, and with which credentials llum's own processes come to it."""

from bus import credentials
from bus.credentials import Credentials, Role
from llum.processes.running import find
from llum.settings import Settings


def bus_of(settings: Settings) -> str:
    """Give the address that the settings name, or that of the llum that runs on their data folder. Raises a `Fault`."""
    return settings.nats_url or find(settings.data_dir).nats


def credentials_of(settings: Settings) -> Credentials:
    """Read the credentials of llum's own processes. Raises `InstallationError`."""
    return credentials.load(settings.credentials or settings.data_dir / credentials.FILE)


def bus_as(settings: Settings, role: Role, url: str | None = None) -> str:
    """Give the address of the bus with the login of a role, which is to be shown to nobody.

    An address that holds a login already stays as it is: somebody else rules over that nats-server. Raises a `Fault`
    where no llum runs, `InstallationError` where the credentials cannot be read.
    """
    url = url or bus_of(settings)
    return url if "@" in url else credentials_of(settings).at(url, role)
