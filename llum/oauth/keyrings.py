"""Whether this system has a keyring that deserves the name: one that keeps secrets from who reads the disk.

The library `keyring` also knows backends that write plain text, or nothing at all. They are never used.
"""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE: Final = "llum"

_TRUSTED: Final = "keyring.backends."
"""Where the library has its own ways to the keyrings of systems. Others come from anywhere."""

_NONE: Final = ("keyring.backends.fail", "keyring.backends.null")


class Keyring:
    """KeptTokens by name in the keyring of the system. It may ask the person to unlock it, so call it in a thread."""

    def __init__(self, backend: "KeyringBackend") -> None:
        self._backend = backend

    def get(self, name: str) -> str | None:
        """Give a secret; None: there is none. Raises `keyring.errors.KeyringError`."""
        return self._backend.get_password(SERVICE, name)

    def set(self, name: str, secret: str) -> None:
        """Keep a secret. Raises as `get`."""
        self._backend.set_password(SERVICE, name, secret)

    def delete(self, name: str) -> None:
        """Forget a secret, if there is one. Raises as `get`."""
        if self._backend.get_password(SERVICE, name) is not None:
            self._backend.delete_password(SERVICE, name)


def find_keyring() -> Keyring | None:
    """Give the keyring of this system; None: it has none, or only one that keeps nothing secret."""
    import keyring

    backend = keyring.get_keyring()
    return Keyring(backend) if is_real(backend) else None


def is_real(backend: "KeyringBackend") -> bool:
    """Tell whether a backend keeps secrets from who reads the disk. A chain does if all its links do."""
    module = type(backend).__module__
    if module == "keyring.backends.chainer":
        links = list(backend.backends)  # type: ignore[attr-defined]
        return bool(links) and all(map(is_real, links))
    return module.startswith(_TRUSTED) and module not in _NONE and float(backend.priority) >= 1
