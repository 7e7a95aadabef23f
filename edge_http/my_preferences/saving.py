"""A person changes a preference, or unsets it."""

from typing import Any, Final

from aiohttp import web

from edge_http.accounts.mistakes import WHOLE_FORM, errors_of
from edge_http.http.errors import STATUS_OF, headers_of
from edge_http.http.observe import TRACE
from edge_http.http.showing import wants_page
from edge_http.my_preferences.controls import VALUE, value_of
from edge_http.my_preferences.reading import SettingOfSafe, ShownSetting, find_setting, place_of, url_of_safe
from edge_http.my_preferences.showing import show_safe
from edge_http.preferences.face import PREFERENCES
from edge_http.preferences.putting import put_preferences
from edge_http.preferences.reached import ME, ReachedPlace
from edge_http.sessions.current import require_session, see_other
from edge_http.sessions.forms import Form, posted_form
from identity.sessions.session import Session
from model.preferences.paths import segments_of, tree_with
from schemas.apps import OWNER_APP
from schemas.errors import Code, LlumError, Refusal
from schemas.preferences import DEFAULT_SET

UNSET: Final = "unset"
"""The button that takes a preference away; any other sets it."""


async def save(request: web.Request) -> web.Response:
    """Do what a form wants, and show the preferences as they are then."""
    session = await require_session(request)
    request[TRACE].op = "my_preferences_save"
    form = await posted_form(request)
    place = _place_in(form)
    setting = await find_setting(request, session.user, place)
    try:
        await _save(request, session, form, setting)
    except LlumError as error:
        return await _again(request, session, form, setting, error)
    done = "unset" if _unsets(form) else "changed"
    at = {} if form.get("number") in ("", "1") else {"page": form.get("number")}
    fragment = "" if _unsets(form) else f"#{place.anchor}"
    return see_other(url_of_safe(place.safe, done=done, **at) + fragment)


async def _save(request: web.Request, session: Session, form: Form, setting: ShownSetting) -> None:
    place = setting.place
    value = None if _unsets(form) else value_of(setting.control, form.all(VALUE))
    if value is not None:
        _check(request, place, value)
    edge = request[TRACE].edge
    reached = ReachedPlace(ME, session.user, OWNER_APP, place_of(place.safe), request)
    await put_preferences(edge[PREFERENCES], reached, _body(place.set, place, value), place.view, "patch")


def _check(request: web.Request, place: SettingOfSafe, value: Any) -> None:
    """Refuse what the codex does not allow. A term is one thing in all sets, so it is checked as one of the usual."""
    codex = request[TRACE].edge[PREFERENCES].installed.codex
    errors = codex.errors(_body(DEFAULT_SET, place, value))
    if errors:
        said = " ".join(dict.fromkeys(one.get("message", "This value is not allowed.") for one in errors))
        raise Refusal(Code.BAD_FIELD, said, VALUE)


def _body(set_id: str, place: SettingOfSafe, value: Any) -> dict[str, Any]:
    return {"contexts": {set_id: {"preferences": tree_with(place.path, value)}}}


def _unsets(form: Form) -> bool:
    return form.get("do") == UNSET


def _place_in(form: Form) -> SettingOfSafe:
    path = segments_of(form.get("term"))
    if not path or not form.get("view") or not form.get("set"):
        raise Refusal(Code.BAD_FIELD, "the form does not say which preference", "term", "load the page anew")
    return SettingOfSafe(form.get("safe"), form.get("view"), form.get("set"), path)


async def _again(
    request: web.Request, session: Session, form: Form, setting: ShownSetting, error: LlumError
) -> web.Response:
    """Show the page again, with what was typed and what is wrong with it."""
    if error.code not in (Code.BAD_FIELD, Code.BAD_VALUE, Code.BAD_PATH, Code.TOO_LARGE) or not wants_page(request):
        raise error
    said = errors_of(error)
    wrong = setting._replace(
        control=setting.control.again(form.all(VALUE)), error=said[error.error.field or WHOLE_FORM]
    )
    response = await show_safe(request, session, setting.place.safe, wrong=wrong, status=STATUS_OF[error.code])
    response.headers.update(headers_of(error))
    return response
