"""Where the endpoints of the authorization server are. Each address begins with the one that is configured."""

from typing import Final

AUTHORIZE: Final = "/authorize"
TOKEN: Final = "/token"  # noqa: S105 - an address
REQUEST_TOKEN: Final = "/request_token"  # noqa: S105 - an address
"""Where the original's clients get their tokens."""
ACCESS_TOKEN: Final = "/access_token"  # noqa: S105 - an address
"""Where old clients may give a person's password, if the operator allows it. Metadata do not name it."""
REVOKE: Final = "/revoke"
INTROSPECT: Final = "/introspect"
REGISTER: Final = "/register"
DEVICE: Final = "/device"
DEVICE_AUTHORIZATION: Final = "/device_authorization"
DEVICE_DONE: Final = "done"
"""The parameter of that page which says how it has ended: `allowed` or `refused`."""
DEVICE_CONFIRM: Final = "/device/confirm"
SERVER_METADATA: Final = "/.well-known/oauth-authorization-server"
RESOURCE_METADATA: Final = "/.well-known/oauth-protected-resource"


def device_done(end: str) -> str:
    """Give where a person ends up who has decided about a device."""
    return f"{DEVICE}?{DEVICE_DONE}={end}"


def address_of(public_url: str, path: str) -> str:
    """Give the whole address of a path: of what is configured, never of what a request says."""
    return public_url.rstrip("/") + path


def resource_metadata_of(public_url: str) -> str:
    """Give where the metadata of llum as a resource are: what a challenge names as `resource_metadata`."""
    return address_of(public_url, RESOURCE_METADATA)
