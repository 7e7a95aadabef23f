"""What becomes of a temporary user whose browser signs in.

An account that is younger than the trial was made in it: what was done belongs to it. Whoever signs in to an account
that was there before has not asked for that, so nothing is put into its model.
"""

import contextlib

from aiohttp import web

from bus.jetstream import ApiError
from bus.logger import get_logger
from edge_http.http.observe import TRACE
from edge_http.keys import BUS, REQUESTS
from identity.accounts.store import Accounts
from identity.sessions.session import Session
from identity.temporary.users import TemporaryUsers
from schemas.errors import Transient

log = get_logger("llum.edge")


async def move_trial(request: web.Request, trial: Session, user: str) -> None:
    """Move what was done in a trial to an account that was made in it. Raises `Transient`, `Refusal`."""
    edge = request[TRACE].edge
    account = await Accounts(edge[BUS], edge[REQUESTS]).find(user)
    if account is None or account.made < trial.made:
        return
    # It brings the formats of files, which an edge seldom needs.
    from identity.temporary.moving import move_model

    moved = await move_model(edge[REQUESTS], trial.user, user)
    log.info("trial_moved", user=user, evidence=moved.counts["evidence"])


async def end_trial(request: web.Request, trial: Session) -> None:
    """Let a trial be over now. If that cannot be noted, it is over when its session would have expired."""
    with contextlib.suppress(Transient, ApiError):
        await TemporaryUsers(request[TRACE].edge[BUS]).end(trial.user)
