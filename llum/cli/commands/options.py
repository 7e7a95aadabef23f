"""What commands share: options for settings, an app's client, values and times as arguments."""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from llum.settings import SETTINGS, Settings, load, option
from schemas.apps import OWNER_APP

if TYPE_CHECKING:
    from llum.client import Client

Result = TypeVar("Result")
Function = TypeVar("Function", bound=Callable[..., Any])

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
    """Connect as an app to the llum that the settings name, and run one function with the client."""
    from llum.client import Client
    from llum.processes import logs

    logs.set_up("error", [logs.stderr_sink(settings.log_format)])

    async def connected() -> Result:
        async with Client.connect(settings.nats_url, settings.data_dir, app) as client:
            return await use(client)

    return asyncio.run(connected())


def parse_json(text: str) -> Any:
    """Read a value given on the command line. Text that is not JSON is a mistake of use, told with the quoted form."""
    try:
        return msgspec.json.decode(text)
    except RecursionError as error:
        raise click.UsageError("the value is nested too deeply") from error
    except (msgspec.DecodeError, ValueError) as error:
        quoted = msgspec.json.encode(text.encode("utf-8", "replace").decode()).decode()
        raise click.UsageError(f"the value {text[:80]} is not JSON: text goes in quotes, as '{quoted[:80]}'") from error


class Moment(click.ParamType[float]):
    """A time: seconds since 1970, or ISO 8601 (without a zone: this machine's)."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        try:
            return float(value)
        except ValueError:
            return self._from_iso(value, param, ctx)

    def _from_iso(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return datetime.fromisoformat(text).timestamp()
        except (ValueError, OverflowError):
            forms = "seconds since 1970 or a form such as 2031-05-04T10:00:00Z"
            return self.fail(f"{text!r} is no time; give {forms}", param, ctx)
