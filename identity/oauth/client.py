"""A client of the authorization server: a program of others that asks people for slices of their models."""

from typing import Final, Literal

import msgspec

from identity.oauth.redirects import check_page, check_redirect, redirect_matches
from schemas.apps import OWNER_APP, check_app, check_origins
from schemas.errors import Code, Refusal
from schemas.names import check_seen

MAX_NAME_CHARACTERS: Final = 64
"""Characters of a client's name: more do not fit beside its icon."""

MAX_DESCRIPTION_CHARACTERS: Final = 500
"""Characters that describe a client: two or three sentences."""

MAX_REDIRECTS: Final = 16
"""Addresses of one client that a browser may be sent back to."""

MAX_AUDIENCE_CHARACTERS: Final = 256

ClientKind = Literal["public", "confidential"]
"""A public client runs where its user can read it, and has no secret; a confidential one keeps one on its server."""

ClientMaker = Literal["operator", "administrator", "registration"]
"""By which way a client came: the command line, the page of administrators, or its own request."""


class OAuthClient(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of a client, but for its secret and its icon. Its id is that of its app in every model."""

    id: str
    name: str
    """As people read it."""
    home: str = ""
    """The address of its own page; empty: it has none."""
    redirect_uris: list[str] = []
    kind: ClientKind = "public"
    legacy: bool = False
    """It may leave out PKCE, and is answered as the original answers. It has been there before llum."""
    may_own: bool = False
    """It may ask to be an app of the owner: with the scope `owner`, which allows everything."""
    audience: str = ""
    """What tokens for it name as their audience, if it is a resource server: that may ask about them. Else empty."""
    origins: list[str] = []
    """Of its web pages: their scripts may read llum's answers."""
    has_icon: bool = False
    description: str = ""
    made_by: ClientMaker = "operator"
    made: float = 0.0
    """Seconds since 1970."""

    @property
    def is_public(self) -> bool:
        """Tell whether it has no secret."""
        return self.kind == "public"


def redirect_fits(client: OAuthClient, uri: str) -> bool:
    """Tell whether a browser may be sent back to an address: exactly one of the client's, or its loopback address with
    another port.
    """
    return any(redirect_matches(registered, uri) for registered in client.redirect_uris)


def checked(client: OAuthClient) -> OAuthClient:
    """Return a client as it may be stored, or raise `bad_field` or `too_large`, naming the field."""
    if check_app(client.id, "client_id") == OWNER_APP:
        raise Refusal(Code.BAD_FIELD, f"{OWNER_APP} is the app of every owner", "client_id", "choose another id")
    plain = client.legacy
    if len(client.redirect_uris) > MAX_REDIRECTS:
        message = f"a client has {len(client.redirect_uris)} addresses, at most {MAX_REDIRECTS}"
        raise Refusal(Code.TOO_LARGE, message, "redirect_uris")
    for index, uri in enumerate(client.redirect_uris):
        check_redirect(uri, f"redirect_uris[{index}]", plain_http=plain)
    if client.home:
        check_page(client.home, "home", plain_http=plain)
    if client.audience:
        check_audience(client.audience)
    return msgspec.structs.replace(
        client,
        name=_text(client.name, "name", MAX_NAME_CHARACTERS, empty=False),
        description=_text(client.description, "description", MAX_DESCRIPTION_CHARACTERS),
        redirect_uris=list(dict.fromkeys(client.redirect_uris)),
        origins=list(check_origins(client.origins, "origins")),
    )


def check_audience(audience: str) -> str:
    """Return the identifier of a resource server (RFC 8707: an absolute URI without fragment), or raise `bad_field`."""
    if len(audience) > MAX_AUDIENCE_CHARACTERS:
        raise Refusal(Code.TOO_LARGE, f"it has at most {MAX_AUDIENCE_CHARACTERS} characters", "audience")
    return check_page(audience, "audience", plain_http=True)


def _text(text: str, field: str, most: int, *, empty: bool = True) -> str:
    if len(text) > most:
        raise Refusal(Code.TOO_LARGE, f"it has {len(text)} characters, at most {most}", field)
    if not text and not empty:
        raise Refusal(Code.BAD_FIELD, "it must not be empty", field)
    return check_seen(text, Code.BAD_FIELD, field)
