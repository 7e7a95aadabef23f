"""The commands that run llum: all of it, or one process of it."""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.exceptions import Exit

from llum.cli.answers import json_option, say
from llum.cli.commands.options import settings_options
from llum.external_nats import STORE_DIR, ServerOptions
from llum.settings import SETTINGS, Settings

if TYPE_CHECKING:
    from llum.processes.early import StartedChild

PATH = click.Path(path_type=Path)


@click.command()
@click.pass_obj
@click.option("--ready-file", type=PATH, help="When everything answers, write {http, nats, pid} as JSON to this file.")
@click.option("--logs", is_flag=True, help="Show the processes' logs on stderr too.")
@settings_options(*SETTINGS)
def up(started: "Mapping[str, StartedChild] | None", settings: Settings, ready_file: Path | None, logs: bool) -> None:
    """Start llum in the foreground: nats-server, worker and HTTP edge.

    Ctrl-C or SIGTERM stops it within 5 seconds; what is under way is finished. A process that dies is started again.
    """
    from llum.processes.supervisor import run

    raise Exit(run(settings, ready_file, started or {}, show_logs=logs))


def _logs_options(function: Callable[..., Any]) -> Callable[..., Any]:
    function = click.option("--log-dir", type=PATH, help="Write logs to a file in this folder, not to stderr.")(
        function
    )
    return click.option("--echo-logs", is_flag=True, help="With --log-dir: write them to stderr too.")(function)


@click.command()
@click.option(
    "--processes",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="Run so many workers. Each has a folder of its own in the data folder.",
)
@_logs_options
@settings_options(
    "data_dir",
    "nats_url",
    "nats_port",
    "credentials",
    "partitions",
    "weight",
    "replicas",
    "max_active_models",
    "time_zone",
    "metrics_host",
    "metrics_port",
    "log_level",
    "log_format",
)
def worker(settings: Settings, processes: int, log_dir: Path | None, echo_logs: bool) -> None:
    """Run one worker process: it applies commands and answers asks. `llum up` runs one.

    Any number may run, on any machines: they share the people among them. With --processes it runs several here.
    """
    if processes > 1:
        from llum.processes import many_workers

        raise Exit(many_workers.run(settings, processes, log_dir, echo_logs=echo_logs))
    from llum.processes import worker
    from llum.processes.process import Supervised

    raise Exit(worker.run(settings, Supervised(None, log_dir, echo_logs)))


@click.command()
@_logs_options
@settings_options(
    "data_dir",
    "nats_url",
    "nats_port",
    "credentials",
    "http_host",
    "http_port",
    "public_url",
    "proxies",
    "edge_callout",
    "app_clients",
    "partitions",
    "metrics_host",
    "metrics_port",
    "log_level",
    "log_format",
)
def edge(settings: Settings, log_dir: Path | None, echo_logs: bool) -> None:
    """Run one HTTP edge process. `llum up` runs one."""
    from llum.processes import edge
    from llum.processes.process import Supervised

    raise Exit(edge.run(settings, Supervised(None, log_dir, echo_logs)))


@click.command()
@_logs_options
@settings_options(
    "data_dir", "nats_url", "nats_port", "credentials", "app_clients", "partitions", "log_level", "log_format"
)
def callout(settings: Settings, log_dir: Path | None, echo_logs: bool) -> None:
    """Run one auth callout: it says who may connect to the bus, and as what. The HTTP edge does so, too.

    Run two or more, and nobody waits when one of them ends.
    """
    from llum.processes import callout
    from llum.processes.process import Supervised

    raise Exit(callout.run(settings, Supervised(None, log_dir, echo_logs)))


def _server_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say what is of one server alone; they arrive together as `server`."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        given = {name: kwargs.pop(name) for name in ServerOptions._fields}
        return function(*args, server=ServerOptions(**given), **kwargs)

    options = [
        click.option("--server-name", metavar="NAME", help="Name of this server; each of a cluster has its own."),
        click.option("--listen", metavar="HOST:PORT", help="Where it listens. Default: port 4222 of all addresses."),
        click.option("--monitor", metavar="HOST:PORT", help="Where it says over HTTP how it is: /healthz."),
        click.option("--store-dir", default=STORE_DIR, show_default=True, help="Folder of the streams."),
        click.option("--cluster-name", metavar="NAME", help="Cluster that this server is of."),
        click.option(
            "--cluster-listen",
            metavar="HOST:PORT",
            help="Where it listens for the other servers. Default: port 6222 of all addresses.",
        ),
        click.option(
            "--route",
            "routes",
            metavar="URL",
            multiple=True,
            help="Where the servers of the cluster reach each other, such as nats://nats-1.internal:6222. "
            "Once for each server; its own may be among them.",
        ),
        click.option("--tls-cert", type=PATH, help="File with its certificate (PEM), as the server finds it."),
        click.option("--tls-key", type=PATH, help="File with the key of that certificate."),
        click.option("--tls-ca", type=PATH, help="File with the authority of the certificates of a cluster."),
    ]
    for add in reversed(options):
        wrapper = add(wrapper)
    return wrapper


@click.command("nats-config")
@json_option
@_server_options
@settings_options(
    "data_dir", "credentials", "partitions", "sync", "app_connections", "app_subscriptions", "app_payload"
)
def nats_config(settings: Settings, server: ServerOptions, as_json: bool) -> None:
    """Print the configuration that an external nats-server needs. It holds passwords: let nobody else read it.

    For a cluster print one for each server, with --cluster-name, --server-name and the same --route options.

    The first time it makes the file of credentials that llum's processes show to nats-server. Give each machine that
    runs one of them a copy, and name it with --credentials.
    """
    from llum.external_nats import configuration, credentials_file

    text = configuration(settings, server)
    say({"config": text, "credentials": str(credentials_file(settings))}, text, as_json=as_json)
