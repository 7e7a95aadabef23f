"""What a client asks for at /authorize: whether it may ask so, before any person is asked.

Authlib judges what the protocol says, without input or output: the client has been looked up before. What it leaves
open is judged here: an S256 challenge from every client that is not an old one, and nothing twice.
"""

from typing import Any, Final

import msgspec
from authlib.oauth2 import AuthorizationServer, OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749 import ClientMixin, UnsupportedResponseTypeError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

from identity.oauth.authorization_parameters import AuthorizationParameters
from identity.oauth.clients import OAuthClient, redirect_fits

S256: Final = "S256"


class RefusedRequest(Exception):  # noqa: N818 - the protocol's own word for it
    """A request that its client may not make. The client is told, at the address that it has shown to be its own."""

    def __init__(self, error: str, description: str, redirect_uri: str, state: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        """As RFC 6749 names it."""
        self.description = description
        self.redirect_uri = redirect_uri
        self.state = state


class CodeRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request that a client may make, but for what it asks for."""

    client_id: str
    redirect_uri: str
    """Where the browser goes back to."""
    sent_uri: str = ""
    """The same as the client has sent it; empty: it has left it out."""
    state: str = ""
    challenge: str = ""
    """S256; empty: an old client has sent none."""
    audience: str = ""
    """Of the tokens; empty: llum itself."""
    device: str = ""
    """It came by a short code: the handle of that (`identity.oauth.devices`), and no browser goes back anywhere."""
    place: str = ""
    """From where it came then, in words."""


def redirect_of(client: OAuthClient, parameters: AuthorizationParameters) -> str:
    """Give where a client wants the browser back; empty: nowhere that is its own, so it is not sent there.

    An old client with one address may leave it out.
    """
    uri = parameters["redirect_uri"]
    if uri:
        return uri if redirect_fits(client, uri) else ""
    left_out = client.legacy and not parameters.wrong("redirect_uri") and len(client.redirect_uris) == 1
    return client.redirect_uris[0] if left_out else ""


def checked_request(client: OAuthClient, parameters: AuthorizationParameters, redirect_uri: str) -> CodeRequest:
    """Judge a request whose client and address are known to fit. Raises `RefusedRequest`."""

    def refused(error: str, description: str) -> RefusedRequest:
        return RefusedRequest(error, description, redirect_uri, parameters["state"])

    wrong = parameters.first_wrong()
    if not wrong and not parameters["response_type"]:
        wrong = "response_type is missing: it is code"
    if wrong:
        raise refused("invalid_request", wrong)
    try:
        _Server(client, redirect_uri).get_consent_grant(parameters)
    except UnsupportedResponseTypeError as error:
        raise refused(error.error, "llum gives codes alone: send response_type=code") from error
    except OAuth2Error as error:
        raise refused(error.error, error.get_error_description() or error.error) from error
    challenge, method = parameters["code_challenge"], parameters["code_challenge_method"]
    if (challenge or not client.legacy) and (not challenge or method != S256):
        raise refused("invalid_request", "a code_challenge is needed, with code_challenge_method=S256 (RFC 7636)")
    return CodeRequest(
        client_id=client.id,
        redirect_uri=redirect_uri,
        sent_uri=parameters["redirect_uri"],
        state=parameters["state"],
        challenge=challenge,
    )


class _Client(ClientMixin):  # type: ignore[misc]
    """A client as Authlib sees it."""

    def __init__(self, client: OAuthClient, redirect_uri: str) -> None:
        self._client, self._redirect_uri = client, redirect_uri

    def get_default_redirect_uri(self) -> str:
        return self._redirect_uri

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_fits(self._client, redirect_uri)

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def get_allowed_scope(self, scope: str | None) -> str:
        return scope or ""


class _Server(AuthorizationServer):  # type: ignore[misc]
    """Judges one request of one client, which is looked up already."""

    def __init__(self, client: OAuthClient, redirect_uri: str) -> None:
        super().__init__()
        self._client = _Client(client, redirect_uri)
        self.register_grant(AuthorizationCodeGrant)

    def query_client(self, _client_id: str) -> _Client:
        return self._client

    def create_oauth2_request(self, request: AuthorizationParameters) -> OAuth2Request:
        # Authlib refuses addresses without TLS. By which one llum was reached says nothing about the request.
        made = OAuth2Request("GET", "https://llum.invalid/authorize")
        made.payload = BasicOAuth2Payload(_given(request))
        return made

    def send_signal(self, *_: Any, **__: Any) -> None:
        """Nobody listens."""


def _given(parameters: AuthorizationParameters) -> dict[str, str]:
    names = ("response_type", "client_id", "redirect_uri", "scope", "state")
    return {name: parameters[name] for name in names if parameters[name]}
