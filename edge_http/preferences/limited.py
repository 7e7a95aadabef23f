"""What a token may change whose credential names the terms that it may write: these, in each context, and no others.

Terms are those of the flat ontology. What another one says instead is not looked for. Names, metadata and the like are
no terms: they are merged, as in the original. A patch has none of them, since it could unset what is there.
"""

from collections.abc import Collection, Iterator
from typing import Any

from schemas.errors import Code, Refusal
from schemas.preferences import PutMode

Body = dict[str, Any]

_HINT = 'send {"contexts": {"gpii-default": {"preferences": {…}}}} with the terms that it may write, and nothing else'


class BeyondAllowed(Refusal):
    """More was sent than a token may write that may write some terms only."""

    def __init__(self, field: str | None, hint: str = _HINT) -> None:
        super().__init__(Code.PERMISSION_DENIED, "this token may write some terms only", field, hint)


def allowed_part(body: Body, allowed: Collection[str], mode: PutMode) -> Body:
    """Give what of a body is to be written: no set is made that says nothing. Raises `BeyondAllowed`.

    What is no object where one belongs would have taken everything else away with it.
    """
    beyond = next(_beyond(body, allowed, mode), None)
    if beyond is not None:
        raise BeyondAllowed(beyond)
    return body | {"contexts": {name: one for name, one in body["contexts"].items() if one != {"preferences": {}}}}


def _beyond(body: Body, allowed: Collection[str], mode: PutMode) -> Iterator[str]:
    """Name the places of what may not be written, and of what has not the form that it must have."""
    if mode == "patch":
        yield from (name for name in body if name != "contexts")
    contexts = body.get("contexts")
    if not isinstance(contexts, dict):
        yield "contexts"
        return
    for name, context in contexts.items():
        yield from (f"contexts.{name}{place}" for place in _beyond_in(context, allowed, mode))


def _beyond_in(context: Any, allowed: Collection[str], mode: PutMode) -> Iterator[str]:
    if not isinstance(context, dict):
        yield ""
        return
    if mode == "patch":
        yield from (f".{name}" for name in context if name != "preferences")
    preferences = context.get("preferences")
    if not isinstance(preferences, dict):
        yield ".preferences"
        return
    yield from (f".preferences.{term}" for term in preferences if term not in allowed)
