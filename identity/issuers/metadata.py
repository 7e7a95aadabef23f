"""What an issuer says of itself (OpenID Connect Discovery), checked before any of it is used."""

from typing import Final

import msgspec
from authlib.oidc.discovery import OpenIDProviderMetadata

from identity.issuers.configured import Issuer
from identity.issuers.failures import IssuerAway
from identity.issuers.fetching import Answer
from identity.issuers.urls import is_within

_WELL_KNOWN: Final = "/.well-known/openid-configuration"


class _Used(OpenIDProviderMetadata):  # type: ignore[misc]
    """Checks what is used here. What an issuer says of the rest keeps nobody from signing in."""

    REGISTRY_KEYS = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "response_types_supported")


class Metadata(msgspec.Struct, frozen=True):
    """The part of an issuer's metadata that is used here."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    code_challenge_methods_supported: tuple[str, ...] | None = None
    authorization_response_iss_parameter_supported: bool = False
    """It names itself in each answer that a browser brings (RFC 9207)."""

    def endpoints(self) -> list[str]:
        """Give all addresses that are asked, or that people are sent to."""
        found = (self.authorization_endpoint, self.token_endpoint, self.jwks_uri, self.userinfo_endpoint)
        return [url for url in found if url is not None]


def metadata_url(issuer: str) -> str:
    """Give where an issuer's metadata are."""
    return issuer.removesuffix("/") + _WELL_KNOWN


def read_metadata(answer: Answer, issuer: Issuer) -> Metadata:
    """Read and check metadata. Raises `IssuerAway`."""
    if answer.status != 200:
        raise IssuerAway(f"the metadata were answered with {answer.status}")
    try:
        document = _Used(msgspec.json.decode(answer.body, type=dict[str, object]))
        document.validate()
        metadata = msgspec.convert(document, Metadata)
    except (ValueError, TypeError, AttributeError, msgspec.MsgspecError) as error:
        raise IssuerAway(f"the metadata are not OpenID Connect's: {str(error)[:200]}") from error
    _check(metadata, issuer)
    return metadata


def _check(metadata: Metadata, issuer: Issuer) -> None:
    if metadata.issuer != issuer.issuer:
        raise IssuerAway(f"the metadata are those of another issuer, {metadata.issuer[:200]!r}")
    unsafe = [url for url in metadata.endpoints() if not is_within(url, issuer.issuer)]
    if unsafe:
        raise IssuerAway(f"the metadata lead to an address that is not safe: {unsafe[0][:200]!r}")
    challenges = metadata.code_challenge_methods_supported
    if challenges is not None and "S256" not in challenges:
        raise IssuerAway("the issuer does not know the code challenge S256")
