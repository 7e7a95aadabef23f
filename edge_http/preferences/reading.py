"""GET: all that is there, in one ontology."""

from aiohttp import hdrs, web

from edge_http.preferences.answers import HEADERS, PreferencesResponse
from edge_http.preferences.asked import key_of, moment_of, query_of, view_of
from edge_http.preferences.face import PREFERENCES
from edge_http.preferences.reached import reach
from schemas.errors import Code, Refusal


async def get(request: web.Request) -> web.Response:
    """`GET /preferences/:key?view&at`."""
    reached = await reach(request, key_of(request))
    query = query_of(request)
    at = moment_of(query) if query else None
    try:
        answer = reached.edge[PREFERENCES].answer(await reached.ask_sets(at), view_of(query))
    except Refusal as refusal:
        if refusal.code is not Code.NO_SUCH_MODEL or not reached.without_safe:
            raise
        return web.Response(body=b"", headers=HEADERS)
    if is_known(request.headers.get(hdrs.IF_NONE_MATCH), answer.etag):
        return web.Response(status=304, headers={hdrs.ETAG: answer.etag, hdrs.CACHE_CONTROL: "no-store"})
    return PreferencesResponse(answer.body, answer.etag)


def is_known(header: str | None, etag: str) -> bool:
    """Tell whether the sender has an answer already (RFC 9110, 13.1.2)."""
    if header is None:
        return False
    return any(tag.strip().removeprefix("W/") in ("*", etag) for tag in header.split(","))
