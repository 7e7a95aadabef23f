"""The decision: what the page showed is stored with the model, and the browser goes back to the client with an answer.

A form counts once. Who clicks twice is led to the same place; later, and elsewhere, the form is worth nothing.
"""

import functools
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from edge_http.consent.asking import GO_BACK, OpenQuestion, open_question, questions_of
from edge_http.consent.choices import Chosen, choice_in, chosen
from edge_http.consent.leading import location_of, place_of_asking, sent_from_form
from edge_http.consent.sameness import is_as_shown
from edge_http.consent.showing import ToDecide, current_of, deciding_about, endless, first_choices, show
from edge_http.http.observe import TRACE
from edge_http.keys import AUTHENTICATOR
from edge_http.oauth.addresses import device_done
from edge_http.sessions.forms import Form, posted_form
from edge_http.sessions.own_model import own_model
from identity.oauth.questions import AGAIN_WITHIN_S, AnsweredQuestion
from schemas.errors import Code, Refusal
from schemas.grants import Consent

DENIED: Final = {"error": "access_denied", "error_description": "the person has not allowed it"}


_Answering = Callable[[web.Request, Form, OpenQuestion], Awaitable[web.Response]]


def _about_a_question(op: str, answering: _Answering) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Make the handler of a form that is about a question; `op` names it in the log."""

    @functools.wraps(answering)
    async def handle(request: web.Request) -> web.Response:
        request[TRACE].op = op
        form = await posted_form(request)
        asked = await open_question(request, form.get("request"))
        return asked if isinstance(asked, web.Response) else await answering(request, form, asked)

    return handle


async def show_consent(request: web.Request) -> web.Response:
    """Show the page with what was asked for."""
    request[TRACE].op = "consent"
    asked = await open_question(request, request.query.get("request", ""))
    if isinstance(asked, web.Response):
        return asked
    _check_open(asked)
    about = await deciding_about(request, asked)
    return await show(request, asked, about, first_choices(about))


async def _show_choices(request: web.Request, form: Form, asked: OpenQuestion) -> web.Response:
    """Show what the app would see by the choices of a form."""
    _check_open(asked)
    about = await deciding_about(request, asked)
    return await show(request, asked, about, _choices(form, about))


async def _allow(request: web.Request, form: Form, asked: OpenQuestion) -> web.Response:
    """Store what was allowed, and send the browser back with a code."""
    if asked.question.answered is not None:
        return _again(request, asked)
    about = await deciding_about(request, asked)
    shown, choices = asked.question.shown, _choices(form, about)
    if shown is None or not asked.is_as_shown:
        return await show(request, asked, about, first_choices(about), changed=True)
    follows = chosen(about.slices, choices, about.options, shown.now, about.ground.zone)
    if not is_as_shown(follows.granted, shown.granted, current_of(about)):
        return await show(request, asked, about, choices, changed=True)
    if endless(about, follows.granted):
        return await show(request, asked, about, choices)
    registration = await _stored(request, asked, about, follows)
    if registration is None:
        return await _answered(request, asked, DENIED)
    return await _answered(request, asked, await _let_in(request, asked, registration))


async def _refuse(request: web.Request, _form: Form, asked: OpenQuestion) -> web.Response:
    """Store that nothing was allowed, and send the browser back with that."""
    if asked.question.answered is not None:
        return _again(request, asked)
    if not asked.is_as_shown:
        about = await deciding_about(request, asked)
        return await show(request, asked, about, first_choices(about), changed=True)
    about = await deciding_about(request, asked)
    if about.slices or asked.question.owner:
        await _send(request, asked, decision="refused", refused=about.slices)
    return await _answered(request, asked, DENIED)


show_choices: Final = _about_a_question("consent", _show_choices)
allow: Final = _about_a_question("allow", _allow)
refuse: Final = _about_a_question("disallow", _refuse)


def _choices(form: Form, about: ToDecide) -> list[Any]:
    return [choice_in(form, number, one) for number, one in enumerate(about.slices)]


async def _stored(request: web.Request, asked: OpenQuestion, about: ToDecide, follows: Chosen) -> int | None:
    """Store the decision, and give the registration of the app; None: it has been allowed nothing, now or before."""
    before = about.ground.app.registration if about.ground.app is not None else None
    role = "owner" if asked.question.owner else "app"
    if follows.granted or role == "owner":
        return await _send(
            request, asked, decision="allowed", granted=follows.granted, refused=follows.refused, role=role
        )
    if follows.refused:
        await _send(request, asked, decision="refused", refused=follows.refused)
    is_let_in = before is not None and len(follows.refused) < len(about.slices) + len(about.had)
    return before if is_let_in else None


async def _send(request: web.Request, asked: OpenQuestion, **decided: Any) -> int | None:
    """Send the command, which counts once however often it is sent. Raises `Refusal`, `Transient`."""
    session, client = asked.current.session, asked.client
    command = Consent(
        id=asked.question.decision,
        app=client.id,
        name=client.name,
        host=place_of_asking(asked.question.code_request),
        how=f"{session.how}, {session.place}" if session.place else session.how,
        **decided,
    )
    accepted = await own_model(request, asked.user).send(command)
    registration: int | None = accepted.result
    return registration


async def _let_in(request: web.Request, asked: OpenQuestion, registration: int) -> dict[str, str]:
    """Give the answer for a client that is let in. One that waits with a short code gets its tokens by itself."""
    device = asked.question.code_request.device
    if not device:
        return {"code": await _code(request, asked, registration)}
    await request[TRACE].edge[AUTHENTICATOR].oauth.devices.allow(device, asked.user, registration)
    return {}


async def _location(request: web.Request, asked: OpenQuestion, answer: dict[str, str]) -> str:
    """Give where the browser goes with an answer: from a short code it goes to no client."""
    code_request = asked.question.code_request
    if not code_request.device:
        return location_of(request, code_request.redirect_uri, code_request.state, answer)
    if answer is DENIED:
        await request[TRACE].edge[AUTHENTICATOR].oauth.devices.refuse(code_request.device, asked.user)
    return device_done("refused" if answer is DENIED else "allowed")


async def _code(request: web.Request, asked: OpenQuestion, registration: int) -> str:
    code_request = asked.question.code_request
    return (
        await request[TRACE]
        .edge[AUTHENTICATOR]
        .oauth.issue_code(
            asked.client.id,
            asked.user,
            registration,
            code_request.sent_uri,
            code_request.challenge,
            code_request.audience,
        )
    )


async def _answered(request: web.Request, asked: OpenQuestion, answer: dict[str, str]) -> web.Response:
    location = await _location(request, asked, answer)
    answered = AnsweredQuestion(user=asked.user, session=asked.session, location=location, time=time.time())
    if await questions_of(request).note_answered(asked.found, answered):
        return sent_from_form(request, location, asked.client.name)
    found = await questions_of(request).find(asked.found.secret)
    if found is None or found.question.answered is None:
        raise _is_answered()
    return _again(request, asked._replace(found=found))


def _again(request: web.Request, asked: OpenQuestion) -> web.Response:
    """Lead who clicks twice to the same place. Raises `no_such_question` for whoever comes later, or is another."""
    answered = asked.question.answered
    assert answered is not None, "it was looked at"
    is_same = (answered.user, answered.session) == (asked.user, asked.session)
    if not is_same or time.time() - answered.time > AGAIN_WITHIN_S:
        raise _is_answered()
    return sent_from_form(request, answered.location, asked.client.name)


def _check_open(asked: OpenQuestion) -> None:
    if asked.question.answered is not None:
        raise _is_answered()


def _is_answered() -> Refusal:
    return Refusal(Code.NO_SUCH_QUESTION, "this question has been answered", "request", GO_BACK)
