"""The apps of a person, as the command line sees them: registered in the model, with a password in the bus or not."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from bus.as_app import AsApp, LastWrites, new_id
from identity.apps import Apps
from identity.authenticator import Authenticator
from identity.credentials import list_credentials
from schemas.app_names import app_id, app_name
from schemas.apps import ADMIN_APP
from schemas.commands import SetQuota
from schemas.errors import Code, Refusal
from schemas.lookalikes import looks_like
from schemas.quotas import DEFAULT_QUOTAS, Quotas

if TYPE_CHECKING:
    from llum.client import Client


class ListedApp(NamedTuple):
    """What `llum admin app list` shows."""

    name: str
    role: str
    password: bool
    description: str
    origins: list[str]
    """Where its web pages come from."""
    looks_like: list[str]
    """Other apps of the person whose names look like this one's."""


async def add(
    client: "Client",
    user: str,
    name: str,
    description: str | None,
    is_owner: bool | None,
    password: str | None,
    origins: Sequence[str] | None = None,
) -> None:
    """Register an app or change what is said of it. None leaves description, role, password and origins as they are.

    Raises `Refusal`, then nothing has changed; `Transient`.
    """
    role: Literal["owner", "app"] | None = None if is_owner is None else "owner" if is_owner else "app"
    await apps_of(client, user).register(app_id(name), description, role, password, origins=origins)


async def remove(client: "Client", user: str, name: str) -> None:
    """Remove an app with its password, tokens, permissions and rules. Raises `Refusal`, `Transient`."""
    await apps_of(client, user).remove(app_id(name))


async def set_quotas(client: "Client", user: str, name: str, **quotas: int) -> None:
    """Say as the operator how much an app may have; `quotas` are parts of `Quotas`. Raises `Refusal`, `Transient`."""
    command = SetQuota(id=new_id(), app=app_id(name), **quotas)
    await AsApp(client.requests, user, ADMIN_APP, LastWrites()).send(command)


async def quotas_of(client: "Client", user: str, name: str) -> Quotas:
    """Give how much an app may have. Raises `Refusal`, `Transient`."""
    found = (await client.list_apps(user)).get(app_id(name))
    if found is None:
        raise Refusal(Code.NO_SUCH_APP, f"{name[:80]!r} is not registered", "app", "register the app first")
    return found.quotas or DEFAULT_QUOTAS


def apps_of(client: "Client", user: str) -> Apps:
    """Give the apps of a person, to be changed in the client's right."""
    model = client.of(user)
    return Apps(user, model.send, model.ask, Authenticator(client.bus, client.requests))


async def list_all(client: "Client", user: str) -> list[ListedApp]:
    """List the apps, by name. Raises `Refusal`, `Transient`."""
    credentials = await list_credentials(Authenticator(client.bus, client.requests), user)
    with_password = {one.app for one in credentials if one.kind == "password" and one.works}
    listed = (await client.list_apps(user)).items()
    alike = looks_like(app_name(app) for app, _ in listed)
    return sorted(
        ListedApp(
            name := app_name(app),
            about.role,
            app in with_password,
            about.description,
            about.origins,
            alike.get(name, []),
        )
        for app, about in listed
    )
