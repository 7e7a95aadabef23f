"""What can be logged, and where in a person's model that goes."""

from typing import Any, Final

CONTEXT: Final = ("Apps", "Logging")
COMPONENT: Final = "logged_items"
PLACE: Final = "/".join(CONTEXT)

LABELS: Final = {
    "apple": "An apple",
    "bread": "Something to eat",
    "water": "A glass of water",
    "coffee": "A coffee",
    "walk": "A walk",
    "book": "Time with a book",
    "sleep": "A good sleep",
    "smile": "A good mood",
}
"""By what is told as the value. Each has a picture of its name."""

PURPOSE: Final = "To write down what you tap, and to show you how often you have."

WANTED: Final[dict[str, Any]] = {
    "type": "llum_model",
    "paths": [PLACE],
    "actions": ["ask", "tell", "make"],
    "purpose": PURPOSE,
}
"""What is asked for at first (RFC 9396)."""

NEEDED_FOR: Final = {
    "tell": "write down what you tap",
    "ask": "read what you have logged, so there are no counts and no chart",
    "make": "make its place in your model",
}
"""What each right is for, in words that follow "log-llum may not"."""


def slice_for(action: str) -> dict[str, Any]:
    """Give the slice that lets log-llum do one thing."""
    return WANTED | {"actions": [action]}


def what_is_lacking(token: dict[str, Any]) -> dict[str, dict[str, Any] | None]:
    """Give what was wanted and not granted, as the answer with the tokens says it: by action, the slice to ask for."""
    if "authorization_details" not in token:
        return {}
    granted = {
        action
        for one in token["authorization_details"]
        if any(path == "" or path == PLACE or PLACE.startswith(f"{path}/") for path in one.get("paths", []))
        for action in one.get("actions", [])
    }
    return {action: slice_for(action) for action in WANTED["actions"] if action not in granted}
