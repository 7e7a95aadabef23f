"""What WebAuthn's ceremonies say and check, by the library `webauthn`. All of it computes; nothing is stored here.

The library is imported when the first passkey is used: that takes most of a second, so call from a thread.
"""

import base64
import ipaddress
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from identity.accounts.account import Passkey
from identity.accounts.challenges import LIFETIME_S


class PasskeyOwner(NamedTuple):
    """For whom a passkey is made: what the authenticator remembers of them."""

    user: str
    handle: str
    """Of the account, base64url."""
    shown: str
    """A name for people."""


class Site(NamedTuple):
    """Where browsers reach llum."""

    host: str
    origin: str

    @property
    def has_passkeys(self) -> bool:
        """Tell whether browsers make passkeys there: a host name is needed, and TLS unless it is this machine."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return self.origin.startswith("https:") or self.host == "localhost" or self.host.endswith(".localhost")
        return False


def site_of(public_url: str) -> Site:
    """Read llum's public address."""
    parts = urlsplit(public_url)
    host = (parts.hostname or "").lower()
    port = {"http": 80, "https": 443}.get(parts.scheme)
    shown_host = f"[{host}]" if ":" in host else host
    shown_port = "" if parts.port in (None, port) else f":{parts.port}"
    return Site(host, f"{parts.scheme}://{shown_host}{shown_port}")


def creation_options(site: Site, person: PasskeyOwner, challenge: bytes, known: Sequence[Passkey]) -> str:
    """Give what a browser needs to make a passkey, as JSON."""
    import webauthn
    from webauthn.helpers import structs

    wanted = structs.AuthenticatorSelectionCriteria(
        resident_key=structs.ResidentKeyRequirement.REQUIRED,
        user_verification=structs.UserVerificationRequirement.REQUIRED,
    )
    options = webauthn.generate_registration_options(
        rp_id=site.host,
        rp_name="llum",
        user_id=unpacked(person.handle),
        user_name=person.user,
        user_display_name=person.shown or person.user,
        challenge=challenge,
        timeout=LIFETIME_S * 1000,
        authenticator_selection=wanted,
        exclude_credentials=_descriptors(known),
    )
    return str(webauthn.options_to_json(options))


def request_options(site: Site, challenge: bytes, known: Sequence[Passkey]) -> str:
    """Give what a browser needs to use a passkey, as JSON."""
    import webauthn
    from webauthn.helpers import structs

    options = webauthn.generate_authentication_options(
        rp_id=site.host,
        challenge=challenge,
        timeout=LIFETIME_S * 1000,
        allow_credentials=_descriptors(known),
        user_verification=structs.UserVerificationRequirement.REQUIRED,
    )
    return str(webauthn.options_to_json(options))


def _descriptors(known: Sequence[Passkey]) -> list[Any]:
    from webauthn.helpers import structs

    named = {one.value: one for one in structs.AuthenticatorTransport}
    return [
        structs.PublicKeyCredentialDescriptor(
            id=unpacked(one.id), transports=[named[each] for each in one.transports if each in named] or None
        )
        for one in known
    ]


def verify_made(site: Site, parsed: dict[str, Any], challenge: bytes) -> Any:
    """Check what a browser says of a new passkey. Raises whatever the library finds wrong with it."""
    import webauthn

    return webauthn.verify_registration_response(
        credential=parsed,
        expected_challenge=challenge,
        expected_rp_id=site.host,
        expected_origin=site.origin,
        require_user_verification=True,
    )


def verify_proof(site: Site, parsed: dict[str, Any], challenge: bytes, known: Passkey) -> Any:
    """Check what a passkey has signed. Raises whatever the library finds wrong with it."""
    import webauthn

    return webauthn.verify_authentication_response(
        credential=parsed,
        expected_challenge=challenge,
        expected_rp_id=site.host,
        expected_origin=site.origin,
        credential_public_key=unpacked(known.public_key),
        credential_current_sign_count=known.sign_count,
        require_user_verification=True,
    )


def unpacked(text: str) -> bytes:
    """Read base64url. Raises `ValueError`."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
