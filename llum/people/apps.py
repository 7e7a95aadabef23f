"""The apps of a person, as the command line sees them: registered in the model, with a password in the bus or not."""

from typing import TYPE_CHECKING, Literal, NamedTuple

from identity.app_passwords import AppKeys
from schemas.app_names import app_id, app_name
from schemas.errors import Refusal

if TYPE_CHECKING:
    from llum.client import Client
    from schemas.replies import AppDescription


class ListedApp(NamedTuple):
    """What `llum admin app list` shows."""

    name: str
    role: str
    password: bool
    description: str


async def add(
    client: "Client", user: str, name: str, description: str, is_owner: bool | None, password: str | None
) -> None:
    """Register an app, first setting its password: so it is there when the app is told that it may call.

    Without a password a registered app keeps the one that it has; a new app has none, whatever was left of an older
    one. `is_owner` None keeps the role. Raises `Refusal`, `Transient`; then the former password stands.
    """
    app, keys = app_id(name), AppKeys(client.bus)
    known = (await client.list_apps(user)).get(app)
    role = _role(is_owner, known)
    if password is None:
        if known is None:
            await keys.delete(user, app)
        await client.register_app(user, app, description, role)
        return
    before = await keys.set_password(user, app, password)
    try:
        await client.register_app(user, app, description, role)
    except Refusal:
        await keys.restore(user, app, before)
        raise


def _role(is_owner: bool | None, known: "AppDescription | None") -> Literal["owner", "app"]:
    if is_owner is None:
        is_owner = known is not None and known.role == "owner"
    return "owner" if is_owner else "app"


async def remove(client: "Client", user: str, name: str) -> None:
    """Remove an app with its password, permissions and rules. Raises `Refusal`, `Transient`."""
    app = app_id(name)
    if app in await client.list_apps(user):
        await AppKeys(client.bus).delete(user, app)
    await client.delete_app(user, app)


async def list_all(client: "Client", user: str) -> list[ListedApp]:
    """List the apps, by name. Raises `Refusal`, `Transient`."""
    keys = AppKeys(client.bus)
    found = []
    for app, about in (await client.list_apps(user)).items():
        password = await keys.has_password(user, app)
        found.append(ListedApp(app_name(app), about.role, password, about.description))
    return sorted(found)
