"""The issuers at which people may sign in, as the operator has set them: in a file, a table for each."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec

from identity.issuers.urls import is_safe
from schemas.errors import Code, Refusal
from schemas.paths import is_token

SCOPES: Final = ("openid", "profile", "email")
"""What is asked of an issuer unless the operator sets something else."""

MAX_ISSUERS: Final = 32
"""Issuers of one llum: each is a button of the page where people sign in."""

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]


class Issuer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An OpenID Connect issuer, and who llum is there. Its text shows no secret."""

    id: str = ""
    """What llum calls it, in addresses and as the source of evidence."""
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    """What people read on the button."""
    issuer: _Text
    """Its identifier, a URL, byte for byte as it spells it itself."""
    client_id: _Text
    client_secret: Annotated[str, msgspec.Meta(min_length=1, max_length=2048)] | None = None
    """None: llum is a public client there, and PKCE alone guards the code."""
    scopes: tuple[_Text, ...] = SCOPES
    says_when: bool = True
    """It says when a person has proven who they are (`auth_time`). False: coming back from it now counts as that."""

    def __repr__(self) -> str:
        return f"Issuer({self.id!r})"


def issuers_of(content: Mapping[str, Any]) -> dict[str, Issuer]:
    """Read what is in the file: a table for each issuer, by its id. Raises `bad_field`."""
    if len(content) > MAX_ISSUERS:
        raise _refusal(f"there are {len(content)} issuers, at most {MAX_ISSUERS}", "issuers")
    found = {id_: _issuer(id_, table) for id_, table in content.items()}
    _check_distinct(found)
    return found


def _issuer(id_: str, table: Any) -> Issuer:
    if not is_token(id_) or id_.startswith("_"):
        raise _refusal(f"{id_[:80]!r} is not the id of an issuer", id_[:80], "write 1 to 64 of a-z, 0-9, - and _")
    if isinstance(table, dict) and "id" in table:
        raise _refusal("an issuer's id is the name of its table", f"{id_}.id", "leave it out")
    try:
        issuer = msgspec.structs.replace(msgspec.convert(table, Issuer), id=id_)
    except msgspec.ValidationError as error:
        raise _refusal(str(error), id_, "the members are listed in docs/reference/issuers.md") from error
    _check_url(issuer)
    if "openid" not in issuer.scopes or any(not one.isascii() or " " in one for one in issuer.scopes):
        raise _refusal("scopes must hold openid, and each is one word", f"{id_}.scopes")
    return issuer


def _check_url(issuer: Issuer) -> None:
    if not is_safe(issuer.issuer) or "?" in issuer.issuer:
        hint = "write it as the issuer does, with https:// and nothing after the path; http is for this machine only"
        raise _refusal(f"{issuer.issuer[:200]!r} cannot be an issuer", f"{issuer.id}.issuer", hint)


def _check_distinct(found: Mapping[str, Issuer]) -> None:
    """Refuse one issuer under two ids: a person would be two."""
    first: dict[str, str] = {}
    for id_, issuer in found.items():
        other = first.setdefault(issuer.issuer, id_)
        if other != id_:
            raise _refusal(f"{other} and {id_} are the same issuer", f"{id_}.issuer", "keep one of them")


def _refusal(message: str, field: str, hint: str | None = None) -> Refusal:
    return Refusal(Code.BAD_FIELD, message, field, hint)
