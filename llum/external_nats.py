"""What an external nats-server of llum needs in its configuration, and how much apps may have there."""

from pathlib import Path
from typing import TYPE_CHECKING

from llum.failures import Fault
from llum.settings import Settings

if TYPE_CHECKING:
    from bus.accounts import AppLimits


def credentials_file(settings: Settings) -> Path:
    """Name the file of credentials, whole: it may be copied to where its path means something else."""
    from bus.credentials import FILE

    return (settings.credentials or settings.data_dir / FILE).absolute()


def limits_of(settings: Settings) -> "AppLimits":
    from bus.accounts import AppLimits

    return AppLimits(settings.app_connections, settings.app_subscriptions, settings.app_payload)


def configuration(settings: Settings) -> str:
    """Give the lines; the credentials in them are made when there are none. Raises `InstallationError`, `Fault`."""
    from bus.accounts import accounts
    from bus.credentials import ensure_file
    from bus.subjects import server_mappings
    from schemas.limits import MAX_PAYLOAD_BYTES

    file = credentials_file(settings)
    try:
        credentials = ensure_file(file)
    except OSError as error:
        hint = "Name a file that you may write with --credentials or LLUM_CREDENTIALS."
        raise Fault(f"cannot write {file}: {error.strerror}", hint) from error
    return "\n".join(
        [
            "# What llum needs of nats-server. It holds passwords: let nobody else read it.",
            f"# llum's processes show what is in {file}",
            f"max_payload: {MAX_PAYLOAD_BYTES}",
            "jetstream {",
            '  store_dir: "/var/lib/nats"',
            f"  sync_interval: {settings.sync}",
            "}",
            accounts(credentials, server_mappings(settings.partitions), limits_of(settings)),
        ]
    )
