"""The tokens, sign-ins and passwords of a person's apps in one list, for people who want to see and revoke them."""

from typing import Literal, NamedTuple

from identity.authenticator import Authenticator
from schemas.errors import Code, Refusal


class Credential(NamedTuple):
    """What can be told of a token, a sign-in by OAuth 2, or a password. Times are seconds since 1970."""

    id: str
    """It opens nothing."""
    kind: Literal["token", "sign-in", "password"]
    """A sign-in has a refresh token, and all access tokens that come from it."""
    app: str
    works: bool
    """False: the app was deleted since; one registered anew under its name is another one."""
    made: float
    used: float | None
    """When it was used last, give or take ten minutes; None: never."""
    expires: float | None
    """None: never."""
    sign_in: str | None = None
    """The id of the sign-in that a token comes from, or of the sign-in itself; None: of none."""


async def list_credentials(authenticator: Authenticator, user: str) -> list[Credential]:
    """List what has been issued for a person, the oldest first. Raises `Transient`, `ApiError`."""
    holds = authenticator.registrations.holds
    found: list[Credential] = []
    families = await authenticator.oauth.families_of(user)
    ids = {one.id for one in families}
    for family in families:
        works = await holds(user, family.app, family.registration)
        used, until = family.used, family.expires
        found.append(Credential(family.id, "sign-in", family.app, works, family.made, used, until, family.id))
    for token in await authenticator.tokens.list(user):
        works = await holds(user, token.app, token.registration)
        sign_in = token.sign_in if token.sign_in in ids else None
        found.append(Credential(token.id, "token", token.app, works, token.made, token.used, token.expires, sign_in))
    for password in await authenticator.passwords.list(user):
        works = await holds(user, password.app, password.registration)
        found.append(Credential(password.id, "password", password.app, works, password.made, password.used, None))
    return sorted(found, key=lambda one: one.made)


async def revoke(authenticator: Authenticator, user: str, shown_id: str) -> Credential:
    """Revoke the token or the password of this id, or end the sign-in, and say what it was.

    Raises `bad_field` when there is none, `Transient`, `ApiError`.
    """
    credential = next((one for one in await list_credentials(authenticator, user) if one.id == shown_id), None)
    if credential is None:
        raise Refusal(Code.BAD_FIELD, f"{user} has no token, sign-in or password {shown_id[:80]}", "id")
    if credential.kind == "password":
        await authenticator.passwords.delete(user, credential.app)
    if credential.kind == "sign-in":
        await authenticator.oauth.families.end_named(shown_id, user, credential.app)
    for token in await authenticator.tokens.list(user):
        if token.id == shown_id:
            await authenticator.tokens.revoke(token)
    return credential
