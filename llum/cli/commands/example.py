"""`llum example`: apps that come with llum as examples. Each runs in a process of its own, as anybody's app."""

import os
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from llum.cli.commands.options import WHERE, settings_options, with_client
from llum.failures import Fault
from llum.settings import Settings

if TYPE_CHECKING:
    from identity.oauth.clients import OAuthClient
    from llum.client import Client

CLIENT: Final = "log-llum"
PORT: Final = 8090

_SECRET: Final = "LOG_LLUM_CLIENT_SECRET"  # noqa: S105 - the name of a variable

_ABOUT: Final = "Tap what you had or did, and see how often."


@click.group()
def example() -> None:
    """Run an app that comes with llum as an example."""


@example.command("log-llum")
@click.option("--at", metavar="URL", help="Where llum is for people. Not needed for the one on the data folder.")
@click.option("--port", default=PORT, show_default=True, help="Where it listens on this machine; 0: any port.")
@settings_options(*WHERE)
def log_llum(settings: Settings, at: str | None, port: int) -> None:
    """Run log-llum, a web app on which people log an apple by one tap.

    It is a client of llum as any other. With the operator's credentials at hand it is registered if it is not yet, and
    gets a new secret at each start; without them name the secret in LOG_LLUM_CLIENT_SECRET.
    """
    url, here = at or _running_at(settings), f"http://127.0.0.1:{port or PORT}"
    environment = dict(os.environ)
    if not environment.get(_SECRET):
        environment[_SECRET] = _registered(settings, here)
    arguments = ["--at", url, "--port", str(port), "--client-id", CLIENT]
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, "-m", "log_llum", *arguments], environment)  # noqa: S606 - our own


def _running_at(settings: Settings) -> str:
    from llum.running import browser_url, find

    return browser_url(find(settings.data_dir).http)


def _registered(settings: Settings, here: str) -> str:
    """See that log-llum is a client, and give it a new secret. Raises a `Fault` that says what to run."""
    from bus.errors import InstallationError
    from schemas.errors import Transient

    async def over(client: "Client") -> str:
        from identity.oauth.clients import Clients

        clients, wanted = Clients(client.bus), _client(here)
        found = await clients.find(CLIENT)
        if found is None:
            await clients.add(wanted)
        return await clients.new_secret(CLIENT)

    try:
        return with_client(settings, over)
    except (Fault, InstallationError, Transient) as error:
        raise Fault(
            f"log-llum needs its secret at llum, and cannot get one from here: {error}",
            f"On the machine of llum run `llum admin client add {CLIENT} --name log-llum --home {here}/ "
            f"--redirect {here}/callback`, and give what it prints in {_SECRET}.",
        ) from error


def _client(here: str) -> "OAuthClient":
    from identity.oauth.clients import OAuthClient

    described: dict[str, Any] = {"description": _ABOUT, "home": f"{here}/", "redirect_uris": [f"{here}/callback"]}
    return OAuthClient(CLIENT, "log-llum", kind="confidential", **described)
