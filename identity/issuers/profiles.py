"""What of an issuer's claims becomes part of a new model, and which id is proposed for it.

Claims are an outsider's words: what is not plainly a name, an address or a picture is left out.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

MAX_CHARACTERS: Final = 256
"""Characters of a name or address that is taken."""

MAX_ID_CHARACTERS: Final = 32
"""Characters of a proposed id: a person reads it. They may choose a longer one."""

_NOT_IN_IDS: Final = re.compile(r"[^a-z0-9_]+")


def profile_of(claims: Mapping[str, Any]) -> dict[str, str]:
    """Give values for components of `Personal`, by name. What the issuer does not say is not in it.

    A gender is not taken: that is for the person to say.
    """
    found = {
        "firstname": _text(claims.get("given_name")),
        "lastname": _text(claims.get("family_name")),
        "email": _email(claims),
        "gid": _text(claims.get("sub")),
        "picture": _picture(claims.get("picture")),
    }
    return {name: value for name, value in found.items() if value}


def label_of(claims: Mapping[str, Any]) -> str:
    """Give what a person knows this identity by, among others that they have."""
    return _email(claims) or _text(claims.get("preferred_username")) or _text(claims.get("name")) or ""


def proposed_id(claims: Mapping[str, Any]) -> str:
    """Give an id that the person may like; empty if nothing is known that one could be made of."""
    email = _text(claims.get("email")).partition("@")[0]
    candidates = (_text(claims.get("preferred_username")).partition("@")[0], email, _text(claims.get("given_name")))
    return next((id_ for id_ in map(_as_id, candidates) if id_), "")


def _as_id(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return _NOT_IN_IDS.sub("-", plain).strip("-_")[:MAX_ID_CHARACTERS].rstrip("-_")


def _text(value: Any) -> str:
    """Give a text of one line without what cannot be seen; empty if it is not one."""
    if not isinstance(value, str) or len(value) > MAX_CHARACTERS:
        return ""
    kept = "".join(character for character in value if unicodedata.category(character)[0] != "C")
    return " ".join(kept.split())


def _email(claims: Mapping[str, Any]) -> str:
    """Give the address, unless the issuer says that nobody has shown that it is the person's."""
    email = _text(claims.get("email"))
    return email if "@" in email and claims.get("email_verified") is not False else ""


def _picture(value: Any) -> str:
    text = value if isinstance(value, str) and len(value) <= 2048 else ""
    return text if text.startswith("https://") and text.isascii() and text.isprintable() and " " not in text else ""
