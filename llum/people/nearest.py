"""What somebody perhaps meant who named something that is not there, and what there is.

It is looked for as the app that has asked: what an app may not see is not told by its mistakes.
"""

from collections.abc import Awaitable, Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from schemas.errors import Code, LlumError, Refusal, raised_from
from schemas.paths import Path, format_path
from schemas.queries import GetContext, ListResolvers
from schemas.replies import ContextReply, ResolversReply

if TYPE_CHECKING:
    from bus.as_app import AsApp

T = TypeVar("T")

ABSENT: Final = frozenset({Code.NO_SUCH_CONTEXT, Code.NO_SUCH_COMPONENT, Code.NO_SUCH_VIEW})

MAX_LISTED: Final = 12
"""Names in a hint; of more the first are listed."""

_SIMILAR: Final = 0.5
"""How alike names are that may have been meant: 1 is the same."""


async def explained(model: "AsApp", path: Path, doing: Awaitable[T]) -> T:
    """Do what names a path; what it raises says what was perhaps meant."""
    try:
        return await doing
    except LlumError as error:
        raise await with_hint(model, path, error) from error


async def with_hint(model: "AsApp", path: Path, error: LlumError) -> LlumError:
    """Give the error with what was perhaps meant, and what there is; as it is if that cannot be said."""
    try:
        if error.code in ABSENT:
            return await _absent(model, path, error)
        if error.code is Code.UNKNOWN_RESOLVER:
            reply = await model.find(ListResolvers(), ResolversReply)
            hint = did_you_mean(_quoted(error.message), reply.resolvers, "The resolvers are")
            return _hinted(error, error.message, hint)
    except LlumError:
        pass  # what could not be looked up leaves the error as it is
    return error


def did_you_mean(name: str, there: Iterable[str], listing: str) -> str:
    """Say which name was perhaps meant, and list those that there are."""
    names = list(there)
    if not names:
        return ""
    near = nearest(name, names)
    shown = ", ".join(names[:MAX_LISTED]) + (", …" if len(names) > MAX_LISTED else "")
    return (f"Did you mean {near}? " if near else "") + f"{listing}: {shown}."


def nearest(name: str, there: Iterable[str]) -> str | None:
    """Give the name that was perhaps meant."""
    return next(iter(get_close_matches(name, list(there), 1, _SIMILAR)), None)


async def _absent(model: "AsApp", path: Path, error: LlumError) -> LlumError:
    """Find the first name of the path that is not there."""
    for depth in range(len(path) - 1, -1, -1):
        try:
            about = await model.find(GetContext(context=list(path[:depth])), ContextReply)
        except Refusal as refusal:
            if refusal.code is not Code.NO_SUCH_CONTEXT:
                raise
            continue
        names = [*about.components, *about.views, *(f"{name}/" for name in about.contexts)]
        where = f"/{format_path(path[:depth])}"
        hint = did_you_mean(path[depth], names, f"At {where} there are")
        message = f"there is nothing at /{format_path(path)}"
        return _hinted(error, message, hint or f"Nothing is at {where} yet.")
    return error


def _hinted(error: LlumError, message: str, hint: str) -> LlumError:
    return raised_from(msgspec.structs.replace(error.error, message=message, field=None, hint=hint))


def _quoted(message: str) -> str:
    """Give the name that a message quotes."""
    return message.split("'")[1] if message.count("'") > 1 else ""
