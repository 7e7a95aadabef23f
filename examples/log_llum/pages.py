"""What happens at each address."""

import hmac
import time
from typing import Any, Final

from aiohttp import web

from log_llum import counting, logbook
from log_llum.access import Access, NotAllowedError, RefusedError
from log_llum.answers import page, redirect
from log_llum.config import CALLBACK, Config
from log_llum.sessions import Visit, Visits
from log_llum.signing_in import LlumAwayError, NotSignedInError, SigningIn
from log_llum.things import LABELS, WANTED, slice_for, what_is_lacking

COOKIE: Final = "log_llum"
WAY_COOKIE: Final = "log_llum_way"
"""Ties the answer of llum to the browser that was sent there."""

WAY_S: Final = 600
"""Seconds that somebody may be at llum."""

GONE: Final = frozenset({"no_such_context", "no_such_component"})
"""Codes of llum for a place that is not there."""


class Pages:
    """The pages, and what they share."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._signing_in = SigningIn(config)
        self.visits = Visits()

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/", self.first)
        app.router.add_get("/sign-in", self.sign_in)
        app.router.add_get(CALLBACK, self.come_back)
        app.router.add_post("/log", self.log)
        app.router.add_post("/undo", self.undo)
        app.router.add_post("/sign-out", self.sign_out)

    async def first(self, request: web.Request) -> web.Response:
        """Show what can be tapped, and what was; or who this is, to somebody new."""
        visit = self._visit(request)
        if visit is None:
            return page("welcome.html", llum=self._config.llum)
        now = time.time()
        shown = await self._read(visit, counting.first_moment(now))
        notice, visit.notice = visit.notice, ""
        days = counting.by_day(shown.pieces, now) if shown is not None else []
        return page(
            "log.html",
            visit=visit,
            notice=notice,
            shown=shown,
            days=days,
            bars=counting.bars(days) if days else [],
            counts=counting.in_all(days),
            written=counting.written,
            weeks=counting.weeks(days),
            clock=counting.clock(now),
            size=(counting.WIDTH, counting.HEIGHT),
            csrf=self.visits.csrf_token(request.cookies[COOKIE]),
        )

    async def sign_in(self, request: web.Request) -> web.Response:
        """Send a browser to llum; `for` says which right is asked for, where one is missing."""
        visit, wanted = self._visit(request), request.query.get("for", "")
        slices = [WANTED]
        if visit is not None and wanted in visit.lacks:
            slices = [visit.lacks[wanted] or slice_for(wanted)]
        url, state = await self._signing_in.begin(slices)
        answer = redirect(url)
        self._set_cookie(answer, WAY_COOKIE, self.visits.signed(state), max_age=WAY_S)
        return answer

    async def come_back(self, request: web.Request) -> web.Response:
        """Take somebody whom llum sends back, and make the place in their model if it is not there."""
        state = self.visits.opened(request.cookies.get(WAY_COOKIE, ""))
        token = await self._signing_in.finish(request.query, state)
        access = Access(self._signing_in, self._config.llum, token)
        visit = Visit(access, await access.who(), what_is_lacking(token))
        await self._install(visit)
        await self._end(request)
        answer = redirect("/")
        self._set_cookie(answer, COOKIE, await self.visits.begin(visit))
        answer.del_cookie(WAY_COOKIE)
        return answer

    async def log(self, request: web.Request) -> web.Response:
        """Write a tap down."""
        visit, form = await self._posted(request)
        item = str(form.get("item", ""))
        if item not in LABELS:
            raise web.HTTPBadRequest(text="there is no such thing here")
        try:
            seq = await self._written(visit, item)
        except NotAllowedError as refused:
            visit.lacks["tell"] = _ours(refused)
            visit.notice = "That was not written down."
            return redirect("/")
        visit.lacks.pop("tell", None)
        visit.last, visit.notice = (seq, item), f"Logged: {LABELS[item].lower()}."
        return redirect("/")

    async def undo(self, request: web.Request) -> web.Response:
        """Take the last tap back."""
        visit, _ = await self._posted(request)
        if visit.last is not None:
            (seq, item), visit.last = visit.last, None
            try:
                await logbook.take_back(visit.access, seq)
                visit.notice = f"Taken back: {LABELS[item].lower()}."
            except RefusedError:
                visit.notice = "It was taken back already."
            except NotAllowedError as refused:
                visit.lacks["tell"], visit.notice = _ours(refused), "That was not taken back."
        return redirect("/")

    async def sign_out(self, request: web.Request) -> web.Response:
        """Forget who this is, and have llum forget the tokens."""
        await self._posted(request)
        await self._end(request)
        answer = redirect("/")
        answer.del_cookie(COOKIE)
        return answer

    async def stopped(self, request: web.Request) -> web.Response:
        """Say that llum lets log-llum in no more, and end the session."""
        visit = self.visits.end(request.cookies.get(COOKIE, ""))
        if visit is not None:
            await visit.access.close()
        answer = page("stopped.html", 403, was_in=visit is not None, llum=self._config.llum)
        answer.del_cookie(COOKIE)
        return answer

    async def not_now(self) -> web.Response:
        """Say that llum is away."""
        return page("away.html", 503, {"Retry-After": "5"}, llum=self._config.llum)

    async def denied(self) -> web.Response:
        """Say that nothing was allowed, and nothing was done."""
        return page("denied.html", llum=self._config.llum)

    async def _written(self, visit: Visit, item: str) -> int:
        try:
            return await logbook.log(visit.access, item)
        except RefusedError as refused:
            if refused.code not in GONE:
                raise
        await self._install(visit)
        return await logbook.log(visit.access, item)

    async def _install(self, visit: Visit) -> None:
        if "make" in visit.lacks:
            return
        try:
            await logbook.install(visit.access)
        except NotAllowedError as refused:
            visit.lacks["make"] = _ours(refused)

    async def _read(self, visit: Visit, since: float) -> logbook.Shown | None:
        try:
            shown = await logbook.read(visit.access, since)
        except NotAllowedError as refused:
            visit.lacks["ask"] = _ours(refused)
            return None
        except RefusedError as refused:
            if refused.code not in GONE:
                raise
            shown = logbook.Shown([], None, only_value=False)
        visit.lacks.pop("ask", None)
        return shown

    async def _posted(self, request: web.Request) -> tuple[Visit, Any]:
        """Give who has sent a form of log-llum's own pages, and what is in it."""
        visit, form = self._visit(request), await request.post()
        if visit is None:
            raise web.HTTPSeeOther("/")
        expected = self.visits.csrf_token(request.cookies[COOKIE])
        if not hmac.compare_digest(str(form.get("csrf", "")).encode(), expected.encode()):
            raise web.HTTPForbidden(text="this was not sent by a page of log-llum: go back and load it anew")
        return visit, form

    async def _end(self, request: web.Request) -> None:
        visit = self.visits.end(request.cookies.get(COOKIE, ""))
        if visit is not None:
            await visit.access.sign_out()

    def _visit(self, request: web.Request) -> Visit | None:
        return self.visits.find(request.cookies.get(COOKIE, ""))

    def _set_cookie(self, answer: web.Response, name: str, value: str, max_age: int | None = None) -> None:
        answer.set_cookie(name, value, max_age=max_age, httponly=True, samesite="Lax", secure=self._config.is_secure)


def _ours(refused: NotAllowedError) -> dict[str, Any] | None:
    """Give the slice to ask for: the one that llum names, with our purpose; None if it is not about our place."""
    if refused.missing is None or not logbook.is_about_our_place(refused.missing):
        return None
    return refused.missing | {"purpose": WANTED["purpose"]}


@web.middleware
async def kindly(request: web.Request, handler: Any) -> web.StreamResponse:
    """Answer what goes wrong with llum by a page that says what can be done."""
    pages = request.app[PAGES]
    try:
        answer: web.StreamResponse = await handler(request)
    except NotSignedInError as error:
        return await (pages.denied() if error.denied else pages.stopped(request))
    except LlumAwayError:
        return await pages.not_now()
    except RefusedError as error:
        return page("refused.html", 502, message=str(error))
    return answer


PAGES: Final = web.AppKey("pages", Pages)
