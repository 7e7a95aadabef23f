"""PUT, POST and PATCH."""

import uuid
from typing import Final

from aiohttp import web

from edge_http.auth.bearer import has_token, token_of
from edge_http.http.observe import TRACE
from edge_http.keys import AUTHENTICATOR
from edge_http.preferences.answers import answered
from edge_http.preferences.asked import key_of, query_of, view_of
from edge_http.preferences.bodies import read_patch, read_preferences
from edge_http.preferences.face import PREFERENCES
from edge_http.preferences.limited import Body
from edge_http.preferences.putting import check_body, check_patch, put_preferences
from edge_http.preferences.reached import ReachedPlace, begin, check_open, principal_of, reach
from identity.preferences.keys import OWN_PLACE
from model.preferences.sets import sanitised
from schemas.apps import PREFERENCES_APP
from schemas.errors import Code, Refusal
from schemas.ids import check_id
from schemas.preferences import PutMode

IDEMPOTENCY_KEY: Final = "Idempotency-Key"


async def put(request: web.Request) -> web.Response:
    """`PUT /preferences/:key?view&merge`. Only the text `true` merges."""
    reached = await reach(request, key_of(request))
    body = check_body(request[TRACE].edge[PREFERENCES], await read_preferences(request))
    return await _write(request, reached, body, "merge" if query_of(request).get("merge") == "true" else "replace")


async def patch(request: web.Request) -> web.Response:
    """`PATCH /preferences/:key?view`: null unsets."""
    reached = await reach(request, key_of(request))
    body = check_patch(request[TRACE].edge[PREFERENCES], await read_patch(request))
    return await _write(request, reached, body, "patch")


async def post(request: web.Request) -> web.Response:
    """`POST /preferences?view`: a new key, and its safe."""
    trace = begin(request)
    edge = trace.edge
    if has_token(request):
        await principal_of(request, trace, token_of(request))
    if has_token(request) and edge[PREFERENCES].openness == "closed":
        hint = "PUT the preferences to /preferences/me: they are kept in the model of the token's person"
        raise Refusal(Code.PERMISSION_DENIED, "no keys are made with a token", None, hint)
    check_open(request, trace)
    body = check_body(edge[PREFERENCES], await read_preferences(request))
    key = str(uuid.uuid4())
    user = await edge[AUTHENTICATOR].preference_keys.safe_user(key)
    reached = ReachedPlace(key, user, PREFERENCES_APP, OWN_PLACE, request)
    return await _write(request, reached, body, "replace", is_first=True)


async def _write(
    request: web.Request, reached: ReachedPlace, body: Body, mode: PutMode, *, is_first: bool = False
) -> web.Response:
    """Answer as the original does: with what was sent, and not with what came of it."""
    identifier = request.headers.get(IDEMPOTENCY_KEY)
    if identifier is not None:
        check_id(identifier, IDEMPOTENCY_KEY)
    face, view = reached.edge[PREFERENCES], view_of(query_of(request))
    made = await put_preferences(face, reached, body, view, mode, identifier, is_first=is_first)
    return answered({"gpiiKey": reached.key, "preferences": body if made else sanitised(body)})
