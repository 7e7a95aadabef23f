"""Registering and removing the apps of a person: the command, and the credentials that go with it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

from bus.as_app import new_id
from bus.jetstream import ApiError
from bus.logger import get_logger
from identity.authenticator import Authenticator
from schemas.commands import Command, DeleteApp, RegisterApp
from schemas.errors import Transient
from schemas.queries import ListApps, Query
from schemas.replies import Accepted, AppDescription

SendCommand = Callable[[Command], Awaitable[Accepted]]
"""Sends a command and gives its outcome; raises `Refusal`, `Transient`."""

AskQuery = Callable[[Query], Awaitable[Any]]
"""Sends a query and gives its reply; raises `Refusal`, `Transient`."""

log = get_logger("llum.identity")


class Apps:
    """The apps of one person, as an owner app of theirs changes them through `send` and `ask`."""

    def __init__(self, user: str, send: SendCommand, ask: AskQuery, authenticator: Authenticator) -> None:
        self._user = user
        self._send = send
        self._ask = ask
        self._authenticator = authenticator

    async def list(self) -> dict[str, AppDescription]:
        """Give the apps with description and role. Raises `permission_denied` for an app that is no owner's."""
        apps: dict[str, AppDescription] = (await self._ask(ListApps())).apps
        return apps

    async def register(
        self,
        app: str,
        description: str | None,
        role: Literal["owner", "app"] | None = None,
        password: str | None = None,
        command_id: str | None = None,
        origins: Sequence[str] | None = None,
    ) -> int:
        """Register an app or change what is said of it, and give its registration.

        None leaves description, role, password and origins as they are; a new app has none of them. Raises `Refusal`,
        then nothing has changed; `Transient`.
        """
        known = (await self.list()).get(app)
        hashed = None if password is None else await self._authenticator.passwords.hashed(password)
        command = RegisterApp(
            id=command_id or new_id(),
            app=app,
            description=_else(description, known.description if known else ""),
            role=role or (known.role if known else "app"),
            origins=None if origins is None else list(origins),
        )
        told = origins if origins is not None else known.origins if known else ()
        accepted = await self._send(command)
        registration: int = accepted.result
        self._authenticator.registrations.note(self._user, app, registration, accepted.seq, told)
        if hashed is not None:
            await self._authenticator.passwords.store(self._user, app, registration, hashed)
        return registration

    async def drop_password(self, app: str) -> None:
        """Delete the password of an app, if it has one. Raises `Transient`."""
        await self._authenticator.passwords.delete(self._user, app)

    async def remove(self, app: str, command_id: str | None = None) -> None:
        """Remove an app with its permissions and rules; all credentials end with the registration that they are for.

        Raises `Refusal`, `Transient`.
        """
        accepted = await self._send(DeleteApp(id=command_id or new_id(), app=app))
        self._authenticator.registrations.note(self._user, app, None, accepted.seq)
        try:
            await self._authenticator.oauth.families.end_of(self._user, app, accepted.seq)
            await self._authenticator.tokens.delete_of(self._user, app, accepted.seq)
            await self._authenticator.passwords.delete(self._user, app, accepted.seq)
        except (Transient, ApiError) as error:
            # What is left opens nothing: it is bound to a registration that has ended.
            log.warning("credentials_left", user=self._user, app=app, error=str(error))


def _else(given: str | None, otherwise: str) -> str:
    return otherwise if given is None else given
