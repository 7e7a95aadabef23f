"""A person types a key, and what it opens becomes a part of their preferences.

That lets whoever has the key do something in the person's model. So it asks for a fresh sign-in, as all does by which
apps get more. A key is a secret, so tries are counted as those at passwords are.
"""

from typing import Final

from aiohttp import web

from edge_http.accounts.mistakes import WHOLE_FORM, Mistakes
from edge_http.http.errors import STATUS_OF, headers_of
from edge_http.http.observe import TRACE
from edge_http.http.showing import wants_page
from edge_http.http.sources import PROXIES
from edge_http.keys import AUTHENTICATOR, REQUESTS
from edge_http.my_preferences.reading import url_of_safe
from edge_http.sessions.current import require_fresh, see_other
from edge_http.sessions.forms import posted_form
from edge_http.sessions.own_sessions import way_in_words
from identity.preferences.join_notes import BeingMoved
from identity.preferences.joining import KeyJoining
from identity.throttle import Attempts
from schemas.errors import Code, LlumError

KEY_ATTEMPTS: Final = web.AppKey("key_attempts", Attempts)
"""Counts wrong keys."""

_SAID: Final = {
    (Code.NO_SUCH_MODEL, WHOLE_FORM): "You have no model here yet, so there is nothing that a key could be joined to. "
    "Whoever runs this llum can make one for you.",
    (Code.NO_SUCH_MODEL, "key"): "Nothing is stored under this key. Compare it with what you were given: "
    "capitals and spaces matter.",
    (Code.ALREADY_EXISTS, "key"): "This key is joined already: to your preferences, or to somebody else's. "
    "Whoever has joined it can take it back, among their apps.",
    (Code.ALREADY_EXISTS, "label"): "You have joined something under this name already. Choose another one.",
    (Code.KEY_REVOKED, "key"): "This key was revoked, so it opens nothing any more. Ask whoever has given it to you.",
    (Code.READ_ONLY, "key"): "These preferences are an example that nobody can change, so nobody can make them theirs. "
    "Set what you like of them on your own page, or ask whoever has given you the key for one of your own.",
    (Code.BAD_FIELD, "key"): "This can be no key. A key is one line of at most 1,024 characters.",
    (Code.BAD_PATH, "label"): "This name cannot be used. Take a short one of letters and digits.",
    (Code.BAD_FIELD, "label"): "This name cannot be used. Take a short one that begins with a letter.",
}
"""What is said of what is wrong, by its code and the field of the form."""

_BEING_MOVED: Final = (
    "This key is being joined at this moment: to your preferences, or to somebody else's. Come again in a minute."
)

_FIELDS: Final = {"gpiiKey": "key", "label": "label"}
"""Of errors, those about something that was typed."""


async def show_join(request: web.Request) -> web.Response:
    """Show the form."""
    await require_fresh(request)
    request[TRACE].op = "my_preferences_join"
    return _form(request)


async def join(request: web.Request) -> web.Response:
    """Join what the key opens, and show it."""
    session = await require_fresh(request)
    request[TRACE].op = "my_preferences_join"
    form = await posted_form(request)
    key, label = form.get("key").strip(), form.get("label").strip()
    edge = request[TRACE].edge
    joining = KeyJoining(edge[AUTHENTICATOR].preference_keys, edge[REQUESTS])
    try:
        taken = edge[KEY_ATTEMPTS].take(edge[PROXIES].sender_of(request), session.user)
        record = await joining.join(session.user, key, label, way_in_words(session.how))
    except LlumError as error:
        return _again(request, error, label)
    taken.give_back()
    return see_other(url_of_safe(record.place[-1], done="joined"))


def _again(request: web.Request, error: LlumError, label: str) -> web.Response:
    field = _FIELDS.get(error.error.field or "", WHOLE_FORM)
    said = _BEING_MOVED if isinstance(error, BeingMoved) else _SAID.get((error.code, field))
    if not wants_page(request) or (said is None and error.code is not Code.RATE_LIMITED):
        raise error
    if said is None:
        said = f"You have tried too often. {(error.hint or '').capitalize()}."
    mistakes = Mistakes({field: said})
    response = _form(request, mistakes, label, STATUS_OF[error.code])
    response.headers.update(headers_of(error))
    return response


def _form(request: web.Request, errors: Mistakes | None = None, label: str = "", status: int = 200) -> web.Response:
    from edge_http.web.pages import page

    return page(request, "my_preferences_join.html", status, errors=errors or Mistakes(), label=label)
