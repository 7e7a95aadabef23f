"""Which asks have shown a component: for whoever wants to know who has seen something since it was told."""

from collections.abc import Callable
from typing import Final

from model.references import listed_in
from model.state import Model, contexts_below
from schemas.asked import AskedRow
from schemas.paths import Path

_SHOW_ALL: Final = "export"
"""The verb of the query that gives all that is in a context and below."""


def shows(model: Model, path: Path) -> Callable[[AskedRow], bool]:
    """Give a test: are these asks that were answered with the component at `path`, by the views as they are now?

    The test looks at no model any more, so it may be used after reads.
    """
    views = {
        (*at, name)
        for at, context in contexts_below((), model.root)
        for name in context.views
        if path in listed_in(model, at, name)
    }
    places = {("component", path), ("context", path[:-1]), *(("view", view) for view in views)}

    def test(row: AskedRow) -> bool:
        at = tuple(row.path)
        if row.code is not None:
            return False
        return (row.verb == "ask" and (row.kind, at) in places) or (row.verb == _SHOW_ALL and path[: len(at)] == at)

    return test
