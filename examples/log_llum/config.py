"""How log-llum is configured."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

DEFAULT_LLUM: Final = "http://127.0.0.1:8080"
DEFAULT_PORT: Final = 8090
CALLBACK: Final = "/callback"
"""The path that llum sends browsers back to."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """What the operator of log-llum says."""

    llum: str = DEFAULT_LLUM
    """The issuer: where llum is for people."""
    public_url: str = f"http://127.0.0.1:{DEFAULT_PORT}"
    """Where log-llum is for people."""
    client_id: str = "log-llum"
    client_secret: str = ""

    @property
    def redirect_uri(self) -> str:
        """Give the address that browsers are sent back to. It is registered with llum."""
        return self.public_url + CALLBACK

    @property
    def is_secure(self) -> bool:
        """Tell whether people come by TLS."""
        return urlsplit(self.public_url).scheme == "https"
