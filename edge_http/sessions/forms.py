"""Forms of llum's own pages: each carries a token that no other site knows."""

import uuid
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

import msgspec
from aiohttp import hdrs, web

from edge_http.auth.cookies import cookies_of, set_visitor_cookie
from edge_http.auth.own_page import (
    CSRF_FIELD,
    CSRF_HEADER,
    FORM,
    JSON,
    UPLOAD,
    Problem,
    cross_site,
    problem_with_sender,
    problem_with_token,
)
from edge_http.http.body import read_body
from edge_http.http.observe import TRACE
from edge_http.keys import AUTHENTICATOR
from edge_http.sessions.current import CURRENT, CurrentSession
from schemas.errors import Code, Refusal

MAX_FORM_BYTES: Final = 256 * 1024
"""Bytes of a form."""

MAX_FIELDS: Final = 1000
"""Fields of a form."""

_NEW_VISITOR: Final[web.RequestKey[str]] = web.RequestKey("new_visitor")

_fields: Final = msgspec.json.Decoder(dict[str, str | list[str]])


class Form:
    """The fields of a form that a page of llum has sent."""

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        self._fields = fields

    def get(self, name: str, default: str = "") -> str:
        """Give a field that is there once at most. Raises `bad_field` if it is there more often."""
        values = self._fields.get(name, [])
        if len(values) > 1:
            raise Refusal(Code.BAD_FIELD, f"the form has the field {name} {len(values)} times", name)
        return values[0] if values else default

    def all(self, name: str) -> list[str]:
        """Give a field as often as it is there."""
        return list(self._fields.get(name, []))

    def __contains__(self, name: str) -> bool:
        return name in self._fields


async def prepare_forms(request: web.Request) -> None:
    """Have what `csrf_token` is made with: to be called before a page with forms is made. Raises `Transient`."""
    await request[TRACE].edge[AUTHENTICATOR].csrf.load()


def csrf_token(request: web.Request) -> str:
    """Give the token that a form of a page of this response carries; a browser without any cookie of ours gets one.

    An empty text if `prepare_forms` did not come first: a form with that is refused.
    """
    return request[TRACE].edge[AUTHENTICATOR].csrf.make(_cookie_of(request) or _new_visitor(request))


async def posted_form(request: web.Request) -> Form:
    """Give the fields of a form, or of a JSON object of texts, that a page of llum has sent.

    Raises `cross_site` for what another site may have sent, `malformed`, `too_large`, `Transient`.
    """
    cookie = await _checked_sender(request, (FORM, JSON))
    form = await _read(request)
    _check_token(request, cookie, form)
    return form


async def posted_upload(request: web.Request, max_bytes: int) -> tuple[Form, bytes]:
    """Give the fields of a form with a file that a page of llum has sent, and the file, of at most so many bytes.

    Raises as `posted_form`. Without a file there are no bytes.
    """
    from edge_http.sessions.uploads import read_upload

    cookie = await _checked_sender(request, (UPLOAD,))
    fields, file = await read_upload(request, max_bytes)
    form = Form(fields)
    _check_token(request, cookie, form)
    return form, file


async def _checked_sender(request: web.Request, types: tuple[str, ...]) -> str:
    """Give the cookie that the token of a form must fit. Raises `cross_site`, `Transient`."""
    await prepare_forms(request)
    cookie = _cookie_of(request)
    if cookie is None:
        raise cross_site("the browser has sent no cookie of llum", hdrs.COOKIE, "allow cookies, and load the page anew")
    _refuse_if(problem_with_sender(request, request[TRACE].edge, types))
    return cookie


def _check_token(request: web.Request, cookie: str, form: Form) -> None:
    token = request.headers.get(CSRF_HEADER) or form.get(CSRF_FIELD)
    _refuse_if(problem_with_token(request[TRACE].edge, cookie, token))


def _refuse_if(problem: Problem | None) -> None:
    if problem is not None:
        raise cross_site(*problem)


async def _read(request: web.Request) -> Form:
    body = await read_body(request, MAX_FORM_BYTES)
    kind = request.content_type.lower()
    try:
        if kind == JSON:
            given = _fields.decode(body or b"{}")
            return Form({name: [value] if isinstance(value, str) else value for name, value in given.items()})
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise Refusal(Code.MALFORMED, f"the body is no form: {error}") from error
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return Form(fields)


def _cookie_of(request: web.Request) -> str | None:
    """Give what the browser's token is made of: the id of its session, be it over, or what marks the browser."""
    current: CurrentSession | None = request.get(CURRENT)
    if current is not None:
        return current.sid
    cookies = cookies_of(request, request[TRACE].edge)
    return cookies.sid or cookies.visitor


def _new_visitor(request: web.Request) -> str:
    if _NEW_VISITOR not in request:
        request[_NEW_VISITOR] = str(uuid.uuid4())
        set_visitor_cookie(request, request[_NEW_VISITOR])
    return request[_NEW_VISITOR]
