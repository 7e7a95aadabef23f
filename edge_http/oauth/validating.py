"""Authlib's rules for requests to the endpoints. It asks for nothing: all that it wants to know was read before.

So no state changes here, and nothing waits. What Authlib leaves open is settled beside it: a code is used by one write
(`identity.oauth.codes`), refresh tokens belong to families, and parameters have been checked (`parameters.py`). It
takes part in no answer: its tokens, redirects and logs are not ours.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant
from authlib.oauth2.rfc6749.models import AuthorizationCodeMixin
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge

from identity.oauth.clients import OAuthClient
from identity.oauth.codes import AuthorizationCode
from schemas.errors import Code, Refusal

METHODS: Final = ("none", "client_secret_basic", "client_secret_post")
"""How a client may show that it is that one."""

_PLACE: Final = "https://llum.invalid/token"
"""Authlib wants an address, and looks only whether it is a secure one. llum never goes by that of a request."""

_CODE_OF: Final = {
    "invalid_client": Code.INVALID_CLIENT,
    "invalid_grant": Code.INVALID_GRANT,
    "unauthorized_client": Code.UNAUTHORIZED_CLIENT,
    "invalid_scope": Code.INVALID_SCOPE,
}


class KnownRequest(NamedTuple):
    """A request to an endpoint, and what was read for it."""

    parameters: Mapping[str, str]
    authorization: str
    """Its header; "": there is none."""
    client: OAuthClient | None
    secret_is_right: bool
    """The secret that it shows is the client's; False if it shows none."""

    @property
    def asking(self) -> OAuthClient:
        """The client, which has shown that it is that one."""
        assert self.client is not None, "it was checked"
        return self.client


def check_client(facts: KnownRequest) -> OAuthClient:
    """Give the client that asks, if it has shown that it is that one. Raises `invalid_client`."""
    server, request = _Server(facts), _request(facts)
    try:
        server.authenticate_client(request, METHODS)
    except OAuth2Error as error:
        hint = "send client_id, and client_secret if there is one: as Basic credentials or in the form"
        raise Refusal(Code.INVALID_CLIENT, "the client is unknown, or its secret is wrong", None, hint) from error
    assert facts.client is not None, "one that is not there is not let in"
    return facts.client


def check_code(facts: KnownRequest, agreed: AuthorizationCode | None) -> None:
    """Check that a client may redeem a code. Raises `invalid_grant`, `bad_field`."""
    grant = _CodeGrant(_request(facts), _Server(facts))
    grant.agreed = agreed
    must_prove = facts.client is not None and not facts.client.legacy
    CodeChallenge(required=must_prove)(grant)
    _checked(grant)
    if must_prove and agreed is not None and not agreed.challenge:
        raise Refusal(Code.INVALID_GRANT, "the code has no challenge", "code_verifier")


def check_refresh(facts: KnownRequest) -> None:
    """Check all of a refresh but the token itself. Raises `bad_field`."""
    _checked(_RefreshGrant(_request(facts), _Server(facts)))


def _checked(grant: Any) -> None:
    try:
        grant.validate_token_request()
    except OAuth2Error as error:
        message = str(error.get_error_description() or error.error)
        raise Refusal(_CODE_OF.get(str(error.error), Code.BAD_FIELD), message) from error


def _request(facts: KnownRequest) -> "_Request":
    return _Request(facts)


class _Request(OAuth2Request):  # type: ignore[misc]
    def __init__(self, facts: KnownRequest) -> None:
        super().__init__("POST", _PLACE, headers={"Authorization": facts.authorization} if facts.authorization else {})
        self.payload = BasicOAuth2Payload(dict(facts.parameters))

    @property
    def form(self) -> Mapping[str, str]:
        data: Mapping[str, str] = self.payload.data
        return data


class _Client(ClientMixin):  # type: ignore[misc]
    def __init__(self, client: OAuthClient, *, secret_is_right: bool) -> None:
        self.client_id = client.id
        self._is_public = client.is_public
        self._secret_is_right = secret_is_right

    def check_client_secret(self, _secret: str) -> bool:
        return self._secret_is_right

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        return (method == "none") == self._is_public

    def check_grant_type(self, _grant_type: str) -> bool:
        return True


class _Code(AuthorizationCodeMixin):  # type: ignore[misc]
    code_challenge_method = "S256"

    def __init__(self, agreed: AuthorizationCode) -> None:
        self._redirect_uri = agreed.redirect_uri
        self.code_challenge = agreed.challenge

    def get_redirect_uri(self) -> str:
        return self._redirect_uri


class _Server(AuthorizationServer):  # type: ignore[misc]
    def __init__(self, facts: KnownRequest) -> None:
        super().__init__()
        self._facts = facts

    def query_client(self, client_id: str) -> _Client | None:
        client = self._facts.client
        if client is None or client.id != client_id:
            return None
        return _Client(client, secret_is_right=self._facts.secret_is_right)

    def send_signal(self, name: str, *args: object, **more: object) -> None:
        """Tell nobody."""


class _CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    agreed: AuthorizationCode | None = None

    def query_authorization_code(self, _code: str, client: _Client) -> _Code | None:
        if self.agreed is None or self.agreed.client_id != client.client_id:
            return None
        return _Code(self.agreed)


class _Family:
    """Stands for the family that is looked up, judged and changed later, in one write."""

    def check_client(self, _client: _Client) -> bool:
        return True


class _RefreshGrant(RefreshTokenGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def authenticate_refresh_token(self, _refresh_token: str) -> _Family:
        return _Family()

    def _validate_token_scope(self, _token: _Family) -> None:
        """Look at no scope: whatever is asked for, the app has what the person has granted, and is told that."""
