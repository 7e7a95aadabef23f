"""Which places in a model a command has changed: what live feeds are told."""

from collections.abc import Iterator, Sequence
from itertools import takewhile

from model.changes import AddEvidence, Change, ForgetThePart, ForgetUser, MarkWithdrawn, PutItem
from schemas.commands import Command, Correct, Import, Tell, Withdraw
from schemas.events import MAX_EVENT_PATHS
from schemas.paths import Path


def touched(command: Command, changes: Sequence[Change]) -> list[Path]:
    """List the components, contexts and views that the changes of a command have touched, each once.

    A component is touched by its evidence, its definition, its rules and permissions of its own; a context by its
    definition and permissions; the whole model, (), by its apps and by being made or forgotten.
    """
    paths = list(dict.fromkeys(_paths(command, changes)))
    return paths if len(paths) <= MAX_EVENT_PATHS else [_in_common(paths)]


def _paths(command: Command, changes: Sequence[Change]) -> Iterator[Path]:
    told = False
    for change in changes:
        if isinstance(change, PutItem):
            yield _place_of(change)
        elif isinstance(change, AddEvidence | MarkWithdrawn):
            if change.path is not None:
                yield change.path
            else:
                told = True
        elif isinstance(change, ForgetUser | ForgetThePart):
            yield ()
    if told:
        yield from _told(command)


def _place_of(item: PutItem) -> Path:
    match item.kind:
        case "app" | "decision":
            return ()
        case "permission" | "component_permission":
            return item.path[1:]
        case "rule":
            return item.path[:-1]
        case _:
            return item.path


def _told(command: Command) -> Iterator[Path]:
    """Give the components that got evidence, or lost some. What comes with a definition has been put just before."""
    if isinstance(command, Tell | Correct | Withdraw):
        yield (*command.context, command.component)
    elif isinstance(command, Import):
        for context in command.contexts:
            for component in context.components:
                if component.evidence:
                    yield (*command.context, *context.path, component.definition.name)


def _in_common(paths: Sequence[Path]) -> Path:
    """Give the nearest context that holds all of them: what the first and the last in order share, all share."""
    contexts = [path[:-1] for path in paths]
    pairs = zip(min(contexts), max(contexts), strict=False)
    return tuple(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
