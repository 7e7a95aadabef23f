"""A path on the command line may name a component, a context or a view: this finds out which and asks."""

from typing import TYPE_CHECKING, Final

import msgspec

from schemas.errors import Code, Refusal, raised_from
from schemas.paths import parse_path
from schemas.queries import Ask
from schemas.replies import AskReply

if TYPE_CHECKING:
    from llum.client import Client

_ABSENT: Final = frozenset({Code.NO_SUCH_COMPONENT, Code.NO_SUCH_CONTEXT, Code.NO_SUCH_VIEW})


async def ask_path(client: "Client", user: str, path: str, how: Ask) -> tuple[bool, AskReply]:
    """Ask for whatever is at the path, first found of component, context, view. Says whether it was a component.

    `how` carries everything of the ask but context and view. Raises `no_such_component` if
    none of the three is there, and any other error as it comes.
    """
    segments = list(parse_path(path))
    attempts = [msgspec.structs.replace(how, context=segments)]
    if segments:
        parent, name = segments[:-1], segments[-1]
        component = msgspec.structs.replace(how, context=parent, view=[name])
        view = msgspec.structs.replace(how, context=parent, view=name)
        attempts = [component, *attempts, view]
    for number, attempt in enumerate(attempts):
        try:
            return len(attempts) == 3 and number == 0, _found(await client.ask_all(user, attempt))
        except Refusal as refusal:
            if refusal.code not in _ABSENT:
                raise
    raise Refusal(Code.NO_SUCH_COMPONENT, f"there is no component, context or view at {path!r}", "path")


def _found(reply: AskReply) -> AskReply:
    """Raise the error of a reply in which nothing was answered."""
    if reply.components or not reply.failures:
        return reply
    raise raised_from(reply.failures[0].error)
