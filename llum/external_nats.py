"""What an external nats-server of llum needs in its configuration, and how much apps may have there."""

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from llum.failures import Fault
from llum.settings import Settings

if TYPE_CHECKING:
    from bus.accounts import AppLimits
    from bus.cluster import ServerPlace, Tls
    from bus.credentials import Credentials

STORE_DIR: Final = "/var/lib/nats"
"""Where nats-server keeps the streams, unless somebody says otherwise."""


class ServerOptions(NamedTuple):
    """What an operator says of one server. None: nothing."""

    server_name: str | None = None
    listen: str | None = None
    monitor: str | None = None
    store_dir: str = STORE_DIR
    cluster_name: str | None = None
    cluster_listen: str | None = None
    routes: tuple[str, ...] = ()
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_ca: Path | None = None


def credentials_file(settings: Settings) -> Path:
    """Name the file of credentials, whole: it may be copied to where its path means something else."""
    from bus.credentials import FILE

    return (settings.credentials or settings.data_dir / FILE).absolute()


def limits_of(settings: Settings) -> "AppLimits":
    from bus.accounts import AppLimits

    return AppLimits(settings.app_connections, settings.app_subscriptions, settings.app_payload)


def configuration(settings: Settings, options: ServerOptions = ServerOptions()) -> str:  # noqa: B008 - it is frozen
    """Give the lines; the credentials in them are made when there are none. Raises `InstallationError`, `Fault`."""
    import json

    from bus.accounts import accounts
    from bus.cluster import pings, server_lines
    from bus.subjects import server_mappings
    from schemas.limits import MAX_PAYLOAD_BYTES

    _check(options)
    credentials = _credentials(settings, in_cluster=options.cluster_name is not None)
    return "\n".join(
        [
            "# What llum needs of nats-server. It holds passwords: let nobody else read it.",
            f"# llum's processes show what is in {credentials_file(settings)}",
            *server_lines(_server(options, credentials)),
            f"max_payload: {MAX_PAYLOAD_BYTES}",
            *pings(),
            "jetstream {",
            f"  store_dir: {json.dumps(options.store_dir)}",
            f"  sync_interval: {settings.sync}",
            "}",
            accounts(credentials, server_mappings(settings.partitions), limits_of(settings)),
        ]
    )


def _check(options: ServerOptions) -> None:
    """Raise a `Fault` where options do not go together."""
    in_cluster = options.cluster_name is not None
    if not in_cluster and (options.routes or options.cluster_listen):
        raise Fault("routes are given, but no cluster", "Name it with --cluster-name, the same for all its servers.")
    if in_cluster and not (options.server_name and options.routes):
        raise Fault(
            "a server of a cluster needs a name of its own and routes to the others",
            "Give --server-name, and --route nats://HOST:6222 for each server of the cluster.",
        )
    if (options.tls_cert is None) != (options.tls_key is None) or (options.tls_ca and not options.tls_cert):
        raise Fault("TLS needs a certificate and its key", "Give --tls-cert and --tls-key.")
    if in_cluster and options.tls_cert is not None and options.tls_ca is None:
        raise Fault(
            "servers of a cluster look at each other's certificates",
            "Name with --tls-ca the file of the authority that has signed them.",
        )


def _credentials(settings: Settings, *, in_cluster: bool) -> "Credentials":
    from bus.credentials import ensure_file, ensure_routes

    file = credentials_file(settings)
    try:
        return ensure_routes(file) if in_cluster else ensure_file(file)
    except OSError as error:
        hint = "Name a file that you may write with --credentials or LLUM_CREDENTIALS."
        raise Fault(f"cannot write {file}: {error.strerror}", hint) from error


def _server(options: ServerOptions, credentials: "Credentials") -> "ServerPlace":
    from bus.cluster import ServerCluster, ServerPlace

    cluster = None
    if options.cluster_name is not None:
        cluster = ServerCluster(options.cluster_name, options.routes, credentials.routes)
        cluster = cluster._replace(listen=options.cluster_listen or cluster.listen)
    return ServerPlace(options.server_name, options.listen, options.monitor, _tls(options), cluster)


def _tls(options: ServerOptions) -> "Tls | None":
    from bus.cluster import Tls

    if options.tls_cert is None or options.tls_key is None:
        return None
    return Tls(options.tls_cert, options.tls_key, options.tls_ca)
