"""With which credentials llum's own processes come to the bus, and whether it is as they need it."""

from pathlib import Path
from typing import TYPE_CHECKING

from bus import credentials
from bus.credentials import Credentials, OwnPassword, Role
from llum.settings import Settings

if TYPE_CHECKING:
    from bus.connection import Bus


def credentials_file(settings: Settings) -> Path:
    """Name the file with the credentials of llum's own processes."""
    return settings.credentials or settings.data_dir / credentials.FILE


def credentials_of(settings: Settings) -> Credentials:
    """Read the credentials of llum's own processes. Raises `InstallationError`."""
    return credentials.load(credentials_file(settings))


def with_login(settings: Settings, role: Role, url: str) -> str:
    """Give an address of the bus with the login of a role, which is to be shown to nobody.

    An address that holds a login already stays as it is: somebody else rules over that nats-server. Raises
    `InstallationError` where the credentials cannot be read.
    """
    return url if is_ruled_by_others(url) else credentials_of(settings).at(url, role)


def is_ruled_by_others(url: str) -> bool:
    """Tell whether an address holds a login: then neither its users nor its accounts are llum's."""
    return "@" in url


async def checked_bus(settings: Settings, role: Role, url: str, name: str) -> "Bus":
    """Connect with the login of a role to an external nats-server, once it is seen that it has llum's accounts.

    Raises `InstallationError`, `Transient`.
    """
    from bus.accounts_check import check_accounts, in_force
    from bus.connection import Bus

    if is_ruled_by_others(url):
        return await Bus.connect(url, name=name)
    own = await in_force(url, credentials_of(settings))
    await check_accounts(url, own, settings.partitions)
    return await connected_with_login(settings, role, url, name)


async def connected_with_login(settings: Settings, role: Role, url: str, name: str, inbox: str = "_INBOX") -> "Bus":
    """Connect with the login of a role, also after its password has been replaced. An address that holds a login stays
    as it is.

    Raises `InstallationError`, `Transient`.
    """
    from bus.connection import Bus

    if is_ruled_by_others(url):
        return await Bus.connect(url, name=name)
    password = OwnPassword(credentials_file(settings), role)
    return await Bus.connect(with_login(settings, role, url), name=name, inbox=inbox, password=password)
