"""`llum sensor`: sensors of this machine."""

import asyncio
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import click

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, settings_options
from llum.failures import Fault
from llum.settings import Settings
from schemas.paths import check_token

if TYPE_CHECKING:
    from collections.abc import Callable

    from bus.showing import ExpiringToken
    from llum.oauth.signing_in import How
    from llum.people.remote_sensors import RemoteSensor

_NAMES: Final = {"activity_monitor": "activity", "log_sensor": "log"}
"""The command of each sensor, by its app."""


def _at(function: "Callable[..., Any]") -> "Callable[..., Any]":
    """Give a sensor the options of an llum that somebody else runs."""
    browser = "With --at: open the page with the short code in a browser of this machine."
    device = "With --at: only show the short code; you type it into a browser elsewhere."
    for add in (
        click.option("--device", "how", flag_value="device", help=device),
        click.option("--browser", "how", flag_value="browser", help=browser),
        click.option(
            "--at", metavar="URL", help="The address of an llum that somebody else runs, as a browser has it."
        ),
    ):
        function = add(function)
    return function


@click.group()
def sensor() -> None:
    """Run a sensor on this machine."""


@sensor.command()
@click.argument("person", metavar="[USER]", required=False)
@click.option("--user", help="Whose activity it is. Not needed if only one person has a model.")
@click.option(
    "--install", is_flag=True, help="As the owner, give the sensor its place in the model, and end. Needed once."
)
@_at
@click.option("--poll-s", type=float, default=5.0, show_default=True, help="Seconds from one look to the next.")
@click.option("--idle-after-s", type=float, default=10.0, show_default=True, help="Seconds without input until idle.")
@click.option("--backend", default="auto", show_default=True, help="auto, x11, wayland_logind, macos or windows.")
@click.option("--spool", type=click.Path(path_type=Path), help="Folder for what has not been sent yet.")
@settings_options(*WHERE, "log_level", "log_format")
def activity(
    settings: Settings,
    person: str | None,
    user: str | None,
    install: bool,
    at: str | None,
    how: str | None,
    poll_s: float,
    idle_after_s: float,
    backend: str,
    spool: Path | None,
) -> None:
    """Tell when the person at this machine becomes active (1) or idle (0), and when the sensor stops (-1).

    The owner installs the sensor once with --install: it may then tell one component, and do nothing else. At a
    terminal the command asks whether to install it. The component is

    \b
    Devices/activity_monitor/activity/data

    With --at nobody's credentials are needed: at the first use you decide in a browser, at the llum that somebody else
    runs. --install asks you anew.
    """
    from llum.processes import logs
    from sensors.activity.messages import APP, COMPONENT, CONTEXT
    from sensors.activity.sensor import ActivityOptions, run_activity_sensor

    if person and user and person != user:
        raise click.UsageError(f"you named two people: {person} and {user}")
    who = person or user or _only_person(settings, at)
    remote = _seen_to(settings, who, APP, "/".join((*CONTEXT, COMPONENT)), at, how, install=install)
    if install:
        return
    logs.set_up(settings.log_level, [logs.stderr_sink(settings.log_format)], process="sensor")
    options = ActivityOptions(
        user=who,
        nats_url=settings.nats_url or _finder(settings.data_dir),
        spool_folder=spool or (remote.spool_folder if remote else settings.data_dir / "spool"),
        token=_token_of(settings, who, APP),
        connect=remote.connect() if remote else None,
        poll_s=poll_s,
        idle_after_s=idle_after_s,
        backend=backend,
    )
    asyncio.run(_until_signal(lambda stop: run_activity_sensor(options, stop)))


@sensor.command("log")
@click.argument("user", metavar="USER")
@click.argument("items", metavar="[ITEM]...", nargs=-1)
@click.option("--time", "typed_time", metavar="TIME", help="When it was, if not now.")
@click.option(
    "--install", is_flag=True, help="As the owner, give the sensor its place in the model, and end. Needed once."
)
@_at
@click.option("--spool", type=click.Path(path_type=Path), help="Folder for what has not been sent yet.")
@json_option
@settings_options(*WHERE, "log_level", "log_format")
def log(
    settings: Settings,
    user: str,
    items: tuple[str, ...],
    typed_time: str | None,
    install: bool,
    at: str | None,
    how: str | None,
    spool: Path | None,
    as_json: bool,
) -> None:
    """Log what USER had or did: apple, bread, water, coffee, walk, book, sleep, smile.

    It tells the same as the web app log-llum, straight onto the bus. What cannot be sent now is sent the next time.
    The same with the same --time is logged once. The component is

    \b
    Apps/Logging/logged_items

    With --at nobody's credentials are needed: at the first use you decide in a browser, at the llum that somebody else
    runs. --install asks you anew.
    """
    from llum.processes import logs
    from sensors.channel import bus_at
    from sensors.log.messages import APP, COMPONENT, CONTEXT, ITEMS
    from sensors.log.sensor import log_items

    place = "/".join((*CONTEXT, COMPONENT))
    if install:
        _seen_to(settings, user, APP, place, at, how, install=True)
        return
    unknown = [item for item in items if item not in ITEMS]
    if unknown or not items:
        named = f"{unknown[0]!r} cannot be logged" if unknown else "nothing is named"
        raise click.UsageError(f"{named}; what can be is {', '.join(ITEMS)}")
    when = _when(settings, typed_time)
    remote = _seen_to(settings, user, APP, place, at, how)
    logs.set_up(settings.log_level, [logs.stderr_sink(settings.log_format)], process="sensor")
    token, address = _token_of(settings, user, APP), settings.nats_url or _finder(settings.data_dir)
    connect = remote.connect() if remote else bus_at(address, APP, token)
    folder = spool or (remote.spool_folder if remote else settings.data_dir / "spool")
    waiting = asyncio.run(log_items(user, items, when, connect, folder))
    text = f"logged: {', '.join(items)}"
    text += f"\n{waiting} not sent yet: the next `llum sensor log` sends what waits" if waiting else ""
    say({"user": user, "items": list(items), "time": when, "waiting": waiting}, text, as_json=as_json)


def _when(settings: Settings, typed: str | None) -> float:
    """Give seconds since 1970. What is typed goes by the clock of the installation: a sensor may ask nothing."""
    from bus.time_zones import zone_named
    from llum.cli.person_times import TypedTime

    return time.time() if typed is None else TypedTime(typed).by_clock_of(zone_named(settings.time_zone))


def _seen_to(
    settings: Settings, user: str, app: str, place: str, at: str | None, how: str | None, *, install: bool = False
) -> "RemoteSensor | None":
    """See that a sensor is installed. Give it if it is one at an llum that somebody else runs."""
    if at is not None:
        return _signed_in(settings, user, app, at, how, install=install)
    if how is not None:
        raise click.UsageError("--browser and --device go with --at")
    (_install if install else _see_to_installation)(settings, user, app, place)
    return None


def _signed_in(settings: Settings, user: str, app: str, at: str, how: str | None, *, install: bool) -> "RemoteSensor":
    """Have the person decide, unless they have before."""
    from llum.cli.commands.options import run_quietly
    from llum.people.remote_sensors import RemoteSensor

    remote, way = RemoteSensor(app, check_token(user, "user"), at, settings.nats_url), cast("How", how or "auto")
    if install or remote.find() is None:
        run_quietly(settings, lambda: remote.install(way))
        said = f"the {_NAMES[app]} sensor is installed for {user} at {remote.url}: it may tell {remote.place}"
        click.echo(said, err=not install)
    return remote


def _install(settings: Settings, user: str, app: str, place: str) -> None:
    from llum.cli.commands.options import with_client
    from llum.people.sensors import install_sensor
    from llum.people.sign_ins import SignIns

    sign_ins = SignIns(settings)
    earlier = sign_ins.find(user, app)
    sign_ins.keep(with_client(settings, lambda client: install_sensor(client, user, app, earlier)))
    click.echo(f"the {_NAMES[app]} sensor is installed for {user}: it may tell {place}")


def _see_to_installation(settings: Settings, user: str, app: str, place: str) -> None:
    """Go on if the sensor is installed here, or if that cannot be known now: then what it sees waits in the spool."""
    if _is_installed_or_unknown(settings, user, app):
        return
    name = _NAMES[app]
    if sys.stdin.isatty() and click.confirm(f"The {name} sensor is not installed for {user} here. Install it?"):
        _install(settings, user, app, place)
        return
    hint = f"The owner installs it once with `llum sensor {name} {user} --install`."
    raise Fault(f"the {name} sensor is not installed for {user} here", hint)


def _is_installed_or_unknown(settings: Settings, user: str, app: str) -> bool:
    """Tell whether the model knows the sensor, and this machine has its token. Without llum nobody knows."""
    from bus.errors import InstallationError
    from llum.cli.commands.options import with_client
    from llum.people.sensors import is_sensor_installed
    from schemas.errors import Transient

    has_token = _token_of(settings, user, app)() is not None
    try:
        return with_client(settings, lambda client: is_sensor_installed(client, user, app)) and has_token
    except (Fault, Transient):
        return True
    except InstallationError:
        # Only the operator can look. On a machine that has the sensor's token that does not matter.
        if not has_token:
            raise
        return True


def _token_of(settings: Settings, user: str, app: str) -> "Callable[[], ExpiringToken | None]":
    """Look for the sensor's token anew at each connection: it may have been installed anew."""
    from llum.people.sign_ins import SignIns

    sign_ins = SignIns(settings)

    def find_now() -> "ExpiringToken | None":
        found = sign_ins.find(user, app)
        return None if found is None else found.shown

    return find_now


def _finder(data_dir: Path) -> "Callable[[], str | None]":
    """Look for the llum of the folder anew at each connection: it may be started later, and elsewhere."""
    from llum.running import find

    def find_now() -> str | None:
        try:
            return find(data_dir).nats
        except Fault:
            return None

    return find_now


def _only_person(settings: Settings, at: str | None) -> str:
    if at is not None:
        raise click.UsageError("with --at, say whose activity it is: only they can let the sensor in")
    from llum.cli.commands.options import with_client
    from llum.people.people import list_people

    people = with_client(settings, list_people)
    if len(people) == 1:
        return people[0]
    if not people:
        raise Fault("nobody has a model yet", "Make one with `llum admin person add`.")
    raise click.UsageError(f"{len(people)} people have a model: say whose activity it is, such as {people[0]}")


async def _until_signal(run: "Callable[[asyncio.Event], Any]") -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run(stop)
