"""What commands share: options for settings, and a client."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from llum.settings import SETTINGS, Settings, option
from llum.settings_loading import load
from schemas.apps import OWNER_APP
from schemas.errors import Code, Transient
from schemas.paths import check_token

if TYPE_CHECKING:
    from bus.showing import Token
    from llum.client import Client

Result = TypeVar("Result")
Function = TypeVar("Function", bound=Callable[..., Any])

_FORGETS = "forget"
_OPERATORS = (["admin"], ["sign-in"])
"""The commands by which an operator acts on a person's model or account, by their first words."""

WHERE = ("data_dir", "nats_url")
"""The settings that tell a command which llum to speak to."""


def settings_options(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command options for these settings, and call it with all settings as `settings`."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any, config_file: Path | None, **kwargs: Any) -> Any:
            given = {name: kwargs.pop(name) for name in names}
            return function(*args, settings=load(given, config_file), **kwargs)

        return with_settings_options(names)(wrapper)

    return decorate


def with_settings_options(names: tuple[str, ...]) -> Callable[[Function], Function]:
    """Add the options alone; their values arrive under the settings' names, None where not given."""

    def decorate(function: Function) -> Function:
        help_text = "Read settings from this TOML file instead of llum.toml."
        function = click.option("--config", "config_file", type=click.Path(path_type=Path), help=help_text)(function)
        for name in reversed(names):
            setting = SETTINGS[name]
            kind = click.Choice(setting.choices) if setting.choices else str
            function = click.option(option(name), name, type=kind, help=setting.description)(function)
        return function

    return decorate


def with_client(settings: Settings, use: Callable[["Client"], Awaitable[Result]], app: str = OWNER_APP) -> Result:
    """Connect as the operator to the llum that the settings name, and run one function with the client.

    The client speaks as `app`, about anybody.
    """
    from llum.bus_address import connected_as
    from llum.client import Client
    from llum.connecting import requests_over

    check_token(app, "app")

    async def connected() -> Result:
        bus = await connected_as(settings, "operator", f"llum-client-{app}")
        async with requests_over(bus) as (_, requests):
            client = Client(bus, requests, app)
            result = await use(client)
            await _note_act(client)
            return result

    return run_quietly(settings, connected)


async def _note_act(client: "Client") -> None:
    """Write into a person's record what the operator has done about them. Of who is forgotten nothing is written."""
    command = click.get_current_context(silent=True)
    user = command.params.get("user") if command is not None else None
    words = command.command_path.split()[1:] if command is not None else []
    if user is None or words[-1:] == [_FORGETS] or words[:1] not in _OPERATORS:
        return
    from identity.accounts.events import note
    from schemas.asked import OPERATOR

    await note(client.bus, user, "_".join(words).replace("-", "_"), by=OPERATOR, app=client.app)


def with_person(
    settings: Settings, user: str, use: Callable[["Client"], Awaitable[Result]], app: str = OWNER_APP
) -> Result:
    """Connect as a person's command line does that has signed in, and run one function with the client.

    As another app it is the operator who connects. Raises a `Fault` for who has not signed in, or not for long enough.
    """
    from llum.bus_address import bus_of
    from llum.people.sign_ins import SignIns, no_longer_good

    if app != OWNER_APP:
        return with_client(settings, use, app)
    sign_ins = SignIns(settings)
    if sign_ins.has_remote and sign_ins.find(user, app) is None:
        found = _with_remote(settings, user, use)
        if found is not None:
            return found[0]
    url, user = bus_of(settings), check_token(user, "user")
    sign_in = sign_ins.good(user, app)
    try:
        # It may be renewed while this goes on.
        return _with_token(url, settings, use, app, lambda: (sign_ins.find(user, app) or sign_in).shown)
    except Transient as error:
        if error.code is not Code.NOT_AUTHENTICATED:
            raise
        raise no_longer_good(settings, user) from error


def _with_remote(settings: Settings, user: str, use: Callable[["Client"], Awaitable[Result]]) -> tuple[Result] | None:
    """Do the same by a sign-in at an llum that somebody else runs; None: there is none."""
    from llum.people.remote_sign_ins import find_remote, with_remote

    kept = find_remote(user)
    if kept is None:
        return None
    return (run_quietly(settings, lambda: with_remote(kept, settings.nats_url, use)),)


def _with_token(
    url: str, settings: Settings, use: Callable[["Client"], Awaitable[Result]], app: str, token: "Token"
) -> Result:
    from llum.client import Client

    async def connected() -> Result:
        # Who has typed a command would rather wait for a worker that is being started than type it again.
        async with Client.connect(url, settings.data_dir, app, token, patience_s=None) as client:
            return await use(client)

    return run_quietly(settings, connected)


def run_quietly(settings: Settings, connected: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run what speaks to an llum: of its own log only errors are shown."""
    from llum.processes import logs

    logs.set_up("error", [logs.stderr_sink(settings.log_format)])
    return asyncio.run(connected())
