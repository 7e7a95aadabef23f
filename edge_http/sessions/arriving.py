"""In which of the sixteen states a request for a page is, and what is done about it.

The facts are found here, and handed to the table of `identity.states`. Session and cookies are brought in order on the
same response: nobody is sent to a page and back for it, so a browser without cookies is never sent in a circle.
"""

from typing import NamedTuple

from aiohttp import web

from edge_http.auth.cookies import clear_profile_cookie, cookies_of, set_profile_cookie
from edge_http.http.observe import TRACE
from edge_http.sessions.current import session_of
from edge_http.sessions.ending import end_session
from edge_http.sessions.forms import prepare_forms
from identity.sessions.session import Session
from identity.states import Facts, Step, Verdict, decide_state


class Arrival(NamedTuple):
    """Who comes to a page, and what they are to be shown."""

    verdict: Verdict
    session: Session | None
    """That which the request has come with."""
    last_how: str | None
    """By what somebody has signed in last in this browser; empty: as a temporary user; None: nobody has."""


class Proof(NamedTuple):
    """Somebody has just proven who they are."""

    is_registered: bool


async def arrive(request: web.Request, proof: Proof | None = None) -> Arrival:
    """Say in which state a request for a page is, and bring its session and cookies in order. Raises `Transient`.

    `proof` is for who answers a sign-in; `after_authentication` takes care of those that have an account.
    """
    await prepare_forms(request)
    facts, session, how = await _facts_of(request, proof)
    verdict = decide_state(facts)
    if Step.END_SESSION in verdict.steps and session is not None and not session.temporary:
        await end_session(request)
    if Step.CLEAR_PROFILE in verdict.steps:
        clear_profile_cookie(request)
    if Step.SET_PROFILE in verdict.steps and session is not None:
        set_profile_cookie(request, session.how)
    return Arrival(verdict, session, how)


async def _facts_of(request: web.Request, proof: Proof | None) -> tuple[Facts, Session | None, str | None]:
    session = await session_of(request)
    how = cookies_of(request, request[TRACE].edge).how
    registered = proof.is_registered if proof is not None else session is not None and not session.temporary
    return Facts(proof is not None, registered, session is not None, how is not None), session, how
