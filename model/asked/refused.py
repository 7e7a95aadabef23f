"""Commands that were refused: under which heading the record counts them."""

from model.asked.about import Heading
from schemas.apps import is_llums_own
from schemas.asked import PlaceKind
from schemas.errors import Code
from schemas.paths import Path, parse_path
from schemas.replies import Rejection

UNSAID = (Code.NO_SUCH_MODEL, Code.UNAVAILABLE)
"""Codes that are not recorded: nobody may make llum remember a name, and what llum could not do was no refusal."""


def refused_heading(rejection: Rejection) -> Heading | None:
    """Give the heading of a refused command; None: it is not recorded.

    Its place is that of the right that was missing. What was refused for something else is about the model as a whole.
    """
    if rejection.error.code in UNSAID or is_llums_own(rejection.app):
        return None
    path, kind = _place(rejection)
    return Heading(rejection.app, rejection.verb, path, kind, code=rejection.error.code.value)


def _place(rejection: Rejection) -> tuple[Path, PlaceKind]:
    missing = rejection.error.missing
    if missing is not None and missing.components:
        return parse_path(missing.components[0]), "component"
    if missing is not None and missing.paths and missing.paths[0]:
        return parse_path(missing.paths[0]), "context"
    return (), "model"
