"""The tokens and passwords of a person's apps in one list, for people who want to see and revoke them."""

from typing import Literal, NamedTuple

from identity.authenticator import Authenticator
from schemas.errors import Code, Refusal


class Credential(NamedTuple):
    """What can be told of a token or a password. Times are seconds since 1970."""

    id: str
    """Made of the stored hash. It opens nothing."""
    kind: Literal["token", "password"]
    app: str
    works: bool
    """False: the app was deleted since; one registered anew under its name is another one."""
    made: float
    used: float | None
    """When it was used last, give or take ten minutes; None: never."""
    expires: float | None
    """None: never."""


async def list_credentials(authenticator: Authenticator, user: str) -> list[Credential]:
    """List what has been issued for a person, the oldest first. Raises `Transient`, `ApiError`."""
    holds = authenticator.registrations.holds
    found: list[Credential] = []
    for token in await authenticator.tokens.list(user):
        works = await holds(user, token.app, token.registration)
        found.append(Credential(token.id, "token", token.app, works, token.made, token.used, token.expires))
    for password in await authenticator.passwords.list(user):
        works = await holds(user, password.app, password.registration)
        found.append(Credential(password.id, "password", password.app, works, password.made, password.used, None))
    return sorted(found, key=lambda one: one.made)


async def revoke(authenticator: Authenticator, user: str, shown_id: str) -> Credential:
    """Revoke the token or the password of this id, and say what it was.

    Raises `bad_field` when there is none, `Transient`, `ApiError`.
    """
    credential = next((one for one in await list_credentials(authenticator, user) if one.id == shown_id), None)
    if credential is None:
        raise Refusal(Code.BAD_FIELD, f"{user} has no token or password {shown_id[:80]}", "id")
    if credential.kind == "password":
        await authenticator.passwords.delete(user, credential.app)
    for token in await authenticator.tokens.list(user):
        if token.id == shown_id:
            await authenticator.tokens.revoke(token)
    return credential
