"""`/device`: a person types the short code that a program shows, sees who asks from where, and goes on to decide.

Whoever gets somebody to type a code that is not their own gets in as them. So the code is never taken from an address
alone: the person compares it with what the device shows, and is warned if that is somewhere else.
"""

import time
from typing import Final

from aiohttp import web

from edge_http.accounts.mistakes import Mistakes, shown_again
from edge_http.consent.authorize import client_of, consent_path
from edge_http.devices.asking import USER_CODE
from edge_http.http.observe import TRACE
from edge_http.http.sources import PROXIES
from edge_http.keys import AUTHENTICATOR, BUS
from edge_http.oauth.addresses import DEVICE_DONE, device_done
from edge_http.oauth.guard import guard_of
from edge_http.sessions.current import require_session, see_other
from edge_http.sessions.forms import posted_form
from edge_http.web.pages import page
from identity.oauth.authorization import CodeRequest
from identity.oauth.devices import DeviceRequest, FoundDevice, shown_code, typed_code
from identity.oauth.questions import Questions
from schemas.errors import Code, Refusal, Transient

_ENDS: Final = ("allowed", "refused")


async def show_page(request: web.Request) -> web.Response:
    """Show the form, with the code in it that the address has."""
    request[TRACE].op = "device"
    done = request.query.get(DEVICE_DONE, "")
    code = typed_code(request.query.get(USER_CODE, ""))
    await require_session(request)
    shown, end = shown_code(code) if code else "", done if done in _ENDS else ""
    return page(request, "device.html", errors=Mistakes(), code=shown, done=end)


async def take_code(request: web.Request) -> web.Response:
    """Show who asks with a code, from where and when: the person says whether that is theirs."""
    session = await require_session(request)
    request[TRACE].op = "device"
    typed = (await posted_form(request)).get(USER_CODE)
    try:
        asked = (await _found(request, session.user, typed)).asked
        client = await client_of(request, asked.client_id)
    except (Refusal, Transient) as error:
        return shown_again(request, error, "device.html", code=typed[:16], done="")
    minutes = int((time.time() - asked.made) // 60)
    return page(
        request,
        "device_confirm.html",
        client=client,
        code=shown_code(asked.user_code),
        place=asked.place,
        minutes=minutes,
        is_elsewhere=_is_elsewhere(request, asked),
    )


async def confirm_code(request: web.Request) -> web.Response:
    """Go on to the page of consent, or have the program be refused that is not the person's."""
    session = await require_session(request)
    request[TRACE].op = "device"
    form = await posted_form(request)
    typed = form.get(USER_CODE)
    try:
        found = await _found(request, session.user, typed)
    except (Refusal, Transient) as error:
        return shown_again(request, error, "device.html", code=typed[:16], done="")
    edge = request[TRACE].edge
    if form.get("answer") != "yes":
        await edge[AUTHENTICATOR].oauth.devices.refuse(found.handle, session.user)
        return see_other(device_done("refused"))
    asked = found.asked
    code_request = CodeRequest(
        client_id=asked.client_id, redirect_uri="", audience=asked.audience, device=found.handle, place=asked.place
    )
    secret = await Questions(edge[BUS]).ask(code_request, asked.slices, owner=asked.owner)
    return see_other(consent_path(secret))


async def _found(request: web.Request, user: str, typed: str) -> FoundDevice:
    """Find the request of a code. Raises `bad_field` for a wrong one, `rate_limited` for too many, `Transient`."""
    taken = guard_of(request).take_user_code(request, user)
    found = await request[TRACE].edge[AUTHENTICATOR].oauth.devices.find(typed)
    if found is None:
        hint = "compare it with what your device shows; after ten minutes it shows a new one"
        raise Refusal(Code.BAD_FIELD, "nothing waits for this code", USER_CODE, hint)
    taken.give_back()
    return found


def _is_elsewhere(request: web.Request, asked: DeviceRequest) -> bool:
    return asked.source != request[TRACE].edge[PROXIES].sender_of(request)
