"""`/check`: may an app do something in a place, and which setting decides?"""

from typing import Any, Final

import msgspec
from aiohttp import web

from edge_http.accounts.mistakes import Mistakes, shown_again
from edge_http.apps.check_words import CheckFound, CheckWanted
from edge_http.apps.reading import granted, url_of_app
from edge_http.http.observe import TRACE
from edge_http.http.responses import json_response
from edge_http.http.showing import wants_page
from edge_http.sessions.current import require_session
from edge_http.sessions.own_model import own_model, zone_of
from identity.sessions.session import Session
from schemas.app_names import app_id, app_name
from schemas.errors import Code, LlumError, Refusal
from schemas.granting import CheckReply
from schemas.paths import Path, check_token, parse_path
from schemas.queries import Check
from schemas.slices import ACTIONS

CHECK: Final = "/check"
CHECK_JSON: Final = "/check.json"

_PAGE: Final = "check.html"


async def show_check(request: web.Request) -> web.Response:
    """Show the form and, if it is filled in, the answer; to a program the answer as JSON. It changes nothing."""
    session = await require_session(request)
    request[TRACE].op = "check"
    if not wants_page(request) or request.path == CHECK_JSON:
        return json_response(_members(await _checked(request, session)))
    typed = {name: request.query.get(name, "") for name in ("app", "verb", "place", "rules_in")}
    values = {"typed": typed, "checked": None, "errors": Mistakes()} | await _form_values(request, session)
    # Imported when the first page is shown: an edge for programs needs none of it.
    from edge_http.web.pages import page

    if not typed["app"]:
        return page(request, _PAGE, **values)
    try:
        checked = await _checked(request, session)
    except LlumError as error:
        return shown_again(request, error, _PAGE, **{k: v for k, v in values.items() if k != "errors"})
    return page(request, _PAGE, **values | {"checked": checked, "app_url": url_of_app(checked.asked.app)})


async def _form_values(request: web.Request, session: Session) -> dict[str, Any]:
    from edge_http.apps import check_words, words

    known = [app_name(one.app) for one in await granted(request, session.user)]
    return {
        "known": known,
        "words": words,
        "said": check_words,
        "zone": await zone_of(request, session.user),
        "app_url": "",
    }


async def _checked(request: web.Request, session: Session) -> CheckFound:
    """Ask about a component where there is one of that name, else about a context. Raises `bad_field`, `bad_path`."""
    asked = _asked(request)
    model = own_model(request, session.user)

    async def check(context: Path, component: str | None) -> CheckReply:
        query = Check(
            app=asked.app,
            action=asked.verb,
            context=list(context),
            component=component,
            whose_rules=asked.rules_in or None,
        )
        return await model.find(query, CheckReply)

    if asked.place:
        *context, name = asked.place
        reply = await check(tuple(context), name)
        if reply.exists:
            return CheckFound(asked, True, reply)
    return CheckFound(asked, False, await check(asked.place, None))


def _asked(request: web.Request) -> CheckWanted:
    verb = request.query.get("verb") or "ask"
    if verb not in ACTIONS:
        raise Refusal(Code.BAD_FIELD, f"the verb is one of {', '.join(ACTIONS)}", "verb")
    rules_in = request.query.get("rules_in", "").strip()
    if rules_in:
        check_token(rules_in, "rules_in")
    name = request.query.get("app", "").strip()
    if not name:
        raise Refusal(Code.BAD_FIELD, "say which app", "app", "name one as it is in the list of your apps")
    return CheckWanted(app_id(name, "app"), verb, _place(request.query.get("place", "").strip("/ ")), rules_in)


def _place(text: str) -> Path:
    try:
        return parse_path(text)
    except Refusal as wrong:
        # Of the form the whole field is wrong, not one name in it.
        raise Refusal(wrong.code, wrong.error.message, "place", wrong.error.hint) from wrong


def _members(checked: CheckFound) -> bytes:
    """Give what a program is told."""
    asked = checked.asked
    said = msgspec.to_builtins(checked.reply)
    of_request = {"app": asked.app, "verb": asked.verb, "place": list(asked.place), "component": checked.is_component}
    return msgspec.json.encode(of_request | {name: value for name, value in said.items() if name not in ("v", "reply")})
