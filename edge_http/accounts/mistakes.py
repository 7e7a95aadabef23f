"""A form that is shown again: with what was typed, but for secrets, and next to each field what was wrong with it."""

from typing import Any, Final

from aiohttp import web

from edge_http.auth.bearer import challenge
from edge_http.http.errors import STATUS_OF, Unauthenticated, headers_of
from edge_http.http.showing import wants_page
from schemas.errors import Code, LlumError

WHOLE_FORM: Final = "form"
"""Under which stands what is wrong with no field of its own."""

_SHOWN: Final = frozenset(
    {
        Code.ALREADY_EXISTS,
        Code.BAD_FIELD,
        Code.BAD_PATH,
        Code.NOT_AUTHENTICATED,
        Code.PERMISSION_DENIED,
        Code.RATE_LIMITED,
        Code.TOO_LARGE,
        Code.UNAVAILABLE,
    }
)
"""What is wrong with what was typed, or may be right a little later. All else gets a page of its own."""


def shown_again(request: web.Request, error: LlumError, template: str, **values: Any) -> web.Response:
    """Show a form's page again, which finds `errors`. Raises the error for whoever reads no pages."""
    if error.code not in _SHOWN or not wants_page(request):
        raise error
    from edge_http.web.pages import page

    response = page(request, template, STATUS_OF[error.code], errors=errors_of(error), **values)
    response.headers.update(headers_of(error))
    return response


class Mistakes(dict[str, str]):
    """What is wrong, by field; empty where nothing is."""

    def __missing__(self, _field: str) -> str:
        return ""


def errors_of(error: LlumError) -> Mistakes:
    """Say in words what is wrong, by field."""
    message = error.message[:1].upper() + error.message[1:]
    hint = error.hint[:1].upper() + error.hint[1:] if error.hint else ""
    sentences = [one if one.endswith((".", "?", "!")) else f"{one}." for one in (message, hint) if one]
    return Mistakes({error.error.field or WHOLE_FORM: " ".join(sentences)})


def wrong_credentials(request: web.Request, message: str) -> Unauthenticated:
    """Make the refusal of a secret, in the same words whatever is wrong with it."""
    return Unauthenticated(message, challenge(request), WHOLE_FORM, "Try again, or come in another way.")
