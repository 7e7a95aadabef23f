"""The question that a page of consent is about: whether it is still open, and whose answer it waits for."""

import time
from typing import Final, NamedTuple
from urllib.parse import urlencode

from aiohttp import web

from edge_http.consent.authorize import client_of, consent_path, not_its_address
from edge_http.http.observe import TRACE
from edge_http.http.showing import wants_page
from edge_http.keys import BUS
from edge_http.sessions.current import SIGN_IN_PATH, CurrentSession, current_session, nobody, not_fresh, see_other
from identity.oauth.client import OAuthClient, redirect_fits
from identity.oauth.questions import ConsentQuestion, FoundQuestion, Questions
from identity.sessions.store import shown_id
from schemas.errors import Code, LlumError, Refusal

SIGN_UP_PATH: Final = "/sign-up"

GO_BACK: Final = "go back to the app, and begin there once more"


class OpenQuestion(NamedTuple):
    """A question, who is asked, and who asks."""

    found: FoundQuestion
    current: CurrentSession
    client: OAuthClient

    @property
    def question(self) -> ConsentQuestion:
        return self.found.question

    @property
    def user(self) -> str:
        return self.current.session.user

    @property
    def session(self) -> str:
        """Name the session, as lists of sessions do."""
        return shown_id(self.current.sid)

    @property
    def is_as_shown(self) -> bool:
        """Tell whether the page has been shown to this very session."""
        shown = self.question.shown
        return shown is not None and (shown.user, shown.session) == (self.user, self.session)


def questions_of(request: web.Request) -> Questions:
    return Questions(request[TRACE].edge[BUS])


async def open_question(request: web.Request, secret: str) -> OpenQuestion | web.Response:
    """Give the question, or the way to sign in or up first.

    Raises `no_such_question`, `no_such_client`, `bad_field` if the client has changed, `not_fresh`, `Transient`.
    """
    trace = request[TRACE]
    found = await questions_of(request).find(secret)
    if found is None:
        message = "this question has been answered, or was asked too long ago"
        raise Refusal(Code.NO_SUCH_QUESTION, message, "request", GO_BACK)
    current = await current_session(request)
    if current is None or current.session.temporary:
        return _way_in(request, secret, nobody(request), SIGN_IN_PATH if current is None else SIGN_UP_PATH)
    trace.user, trace.by_cookie = current.session.user, True
    code_request = found.question.code_request
    client = await client_of(request, code_request.client_id)
    if not code_request.device and not redirect_fits(client, code_request.redirect_uri):
        raise not_its_address(client)
    _check_still_may(client, found.question)
    if found.question.owner and not current.session.is_fresh(time.time()):
        return _way_in(request, secret, not_fresh(request))
    return OpenQuestion(found, current, client)


def _check_still_may(client: OAuthClient, question: ConsentQuestion) -> None:
    """Refuse what a client may not ask for any more, since somebody has changed it."""
    code_request = question.code_request
    is_proven = client.is_public if code_request.device else bool(code_request.challenge) or client.legacy
    if (question.owner and not client.may_own) or not is_proven:
        raise Refusal(Code.PERMISSION_DENIED, f"{client.name} may not ask for this any more", "client_id", GO_BACK)


def _way_in(request: web.Request, secret: str, refusal: LlumError, path: str = SIGN_IN_PATH) -> web.Response:
    """Send somebody to sign in, or who is trying llum to sign up: what a guest allows would be forgotten with them."""
    if not wants_page(request):
        raise refusal
    return see_other(f"{path}?{urlencode({'then': consent_path(secret)})}")
