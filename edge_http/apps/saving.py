"""`/list_apps_save`: a person takes back what an app may do, changes it, or ends where the app is signed in.

The fields are those of the original's pages: `id` says what is to be done, `value` to which app. `removeOneForMe` is
the original's only one.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec
from aiohttp import web

from bus.as_app import new_id
from edge_http.apps.changing import chosen
from edge_http.apps.narrowing import apart, lets_more, replaced, same_slice, together, without
from edge_http.apps.reading import APPS, client_of, granted_app, host_of, name_of, url_of_app
from edge_http.apps.words import TO_END, going_on_in_words
from edge_http.http.observe import TRACE
from edge_http.http.responses import json_response
from edge_http.http.showing import wants_page
from edge_http.keys import AUTHENTICATOR
from edge_http.sessions.current import require_fresh, require_session, see_other
from edge_http.sessions.forms import Form, posted_form
from edge_http.sessions.own_model import own_model, zone_of
from edge_http.sessions.own_sessions import way_in_words
from identity.sessions.session import Session
from schemas.errors import Code, Refusal
from schemas.grants import Consent, ConsentVerdict, GrantedApp
from schemas.outlasting import outlasted
from schemas.slices import Slice

REVOKE: Final = "revoke"
REMOVE: Final = "removeOneForMe"


async def save(request: web.Request) -> web.Response:
    """Do what a form wants, and show the app as it is then."""
    session = await require_session(request)
    request[TRACE].op = "list_apps_save"
    form = await posted_form(request)
    work = _WORK.get(form.get("id"))
    if work is None:
        raise Refusal(Code.BAD_FIELD, f"`id` is one of {', '.join(_WORK)}", "id", "load the page anew")
    app = await granted_app(request, session.user, form.get("value"))
    done = await work(request, session, form, app)
    if not wants_page(request):
        return json_response(msgspec.json.encode({"app": app.app, "done": done}))
    return see_other(f"{APPS if form.get('id') == REMOVE else url_of_app(app.app)}?done={done}")


async def _revoke(request: web.Request, session: Session, _form: Form, app: GrantedApp) -> str:
    """Take everything from an app. What it is signed in with opens nothing from then on, and is ended, too."""
    registration = await _decide(request, session, app, "revoked")
    await request[TRACE].edge[AUTHENTICATOR].oauth.families.end_of(session.user, app.app, registration)
    return "revoked"


async def _take(request: web.Request, session: Session, form: Form, app: GrantedApp) -> str:
    """Take one place away."""
    gone = _named(form, app)
    await _change(request, session, app, without(apart(app.slices), gone))
    return "taken"


async def _change_slice(request: web.Request, session: Session, form: Form, app: GrantedApp) -> str:
    """Put what was chosen in the place of what holds in one place."""
    # It brings the time zones of the machine, which an edge without pages never needs.
    from bus.time_zones import zone_named

    old = _named(form, app)
    new = chosen(form, old, time.time(), zone_named(await zone_of(request, session.user)))
    slices = replaced(apart(app.slices), old, new)
    _check_ends(slices, new)
    await _change(request, session, app, slices)
    return "changed"


async def _end_sign_in(request: web.Request, session: Session, form: Form, app: GrantedApp) -> str:
    """End one of the places where an app is signed in: of this person and this app, whatever the form says."""
    oauth = request[TRACE].edge[AUTHENTICATOR].oauth
    for one in await oauth.families_of(session.user):
        if one.app == app.app and one.id == form.get("sign_in"):
            await oauth.families.end(one)
            return "ended"
    raise Refusal(Code.BAD_FIELD, "there is no such sign-in: it has ended already", "sign_in", "load the page anew")


AppWork = Callable[[web.Request, Session, Form, GrantedApp], Awaitable[str]]
"""Does what a form wants with an app, and says by a word what was done."""

_WORK: Final[dict[str, AppWork]] = {
    REMOVE: _revoke,
    REVOKE: _revoke,
    "take": _take,
    "change": _change_slice,
    "end_sign_in": _end_sign_in,
}


def _check_ends(slices: Sequence[Slice], new: Slice) -> None:
    """Refuse a change of one place if it, or what is within it, would end and go on by what is around."""
    others = [one for one in slices if one != new]
    for one in outlasted([new], others) if len(others) < len(slices) else ():
        raise Refusal(Code.BAD_FIELD, f"{going_on_in_words(one)}: {TO_END}", "until", TO_END)


def _named(form: Form, app: GrantedApp) -> Slice:
    found = same_slice(apart(app.slices), form.get("slice"))
    if found is None:
        raise Refusal(Code.BAD_FIELD, "what the app may do has changed since", "slice", "load the page anew")
    return found


async def _change(request: web.Request, session: Session, app: GrantedApp, slices: Sequence[Slice]) -> None:
    """Have these slices be all that an app may do; what lets it do more asks for a fresh sign-in."""
    if lets_more(app.slices, slices, time.time()):
        await require_fresh(request)
    await _decide(request, session, app, "changed", together(slices))


async def _decide(
    request: web.Request, session: Session, app: GrantedApp, decision: ConsentVerdict, granted: Sequence[Slice] = ()
) -> int:
    """Send a decision, and give the registration that the app has from then on."""
    client = await client_of(request, app.app)
    consent = Consent(
        id=new_id(),
        app=app.app,
        decision=decision,
        granted=list(granted),
        name=name_of(app, client),
        host=host_of(app, client),
        how=way_in_words(session.how),
    )
    accepted = await own_model(request, session.user).send(consent)
    return int(accepted.result)
