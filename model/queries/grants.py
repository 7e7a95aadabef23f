"""What apps may do, as slices, and what was decided about them."""

from collections.abc import Generator, Sequence
from typing import Final

import msgspec

from model.commands.consent import settings_at
from model.permissions import Asker, denied
from model.reads import Decisions
from model.state import Model, contexts_below
from schemas.app_names import app_name
from schemas.errors import Code, Refusal
from schemas.grants import MAX_DECISIONS, ConsentDecision, GrantedApp, GrantsReply
from schemas.limits import MAX_REPLY_BYTES
from schemas.paths import check_token
from schemas.queries import Grants
from schemas.slicing import slices_of

MAX_READ: Final = 1000
"""Decisions about all apps that are looked at: the latest."""

_decode: Final = msgspec.json.Decoder(ConsentDecision).decode


def answer_grants(model: Model, asker: Asker, query: Grants) -> Generator[Decisions, list[bytes], GrantsReply]:
    """Say what apps may do. Raises `permission_denied`, `no_such_app`, `bad_field`."""
    only = query.app if asker.is_owner else asker.app
    if query.app is not None and check_token(query.app, "app") != only:
        raise denied(asker.app, "see what other apps may do", "app")
    seq, apps = model.seq, _granted(model, only, asker.now)
    if not asker.is_owner:
        if not apps:
            raise _not_registered(asker.app, None)
        return GrantsReply(seq=seq, apps=list(apps.values()))
    bodies = yield Decisions(user=model.user, app=only, seq=seq, limit=MAX_READ)
    shown, more = shown_decisions(bodies)
    for one in shown:
        app = apps.setdefault(one.app, GrantedApp(app=one.app))
        app.name, app.host = app.name or one.name, app.host or one.host
        app.decisions.append(one)
    if only is not None and not apps:
        raise _not_registered(only, "app")
    return GrantsReply(seq=seq, apps=[apps[name] for name in sorted(apps)], more=more)


def shown_decisions(bodies: Sequence[bytes]) -> tuple[list[ConsentDecision], int]:
    """Give the latest decisions about each app that a reply has room for, the latest first; and how many it has not."""
    counts: dict[str, int] = {}
    shown: list[ConsentDecision] = []
    more, room = 0, MAX_REPLY_BYTES // 2
    for one, size in sorted(((_decode(body), len(body)) for body in reversed(bodies)), key=lambda each: -each[0].time):
        counts[one.app] = counts.get(one.app, 0) + 1
        room -= size
        if counts[one.app] <= MAX_DECISIONS and room >= 0:
            shown.append(one)
        else:
            more += 1
    return shown, more


def _granted(model: Model, only: str | None, now: float) -> dict[str, GrantedApp]:
    apps = {
        name: GrantedApp(
            app=name,
            description=app.description,
            role=app.role,
            registration=app.registration,
            slices=slices_of(settings_at(model, name, now)),
        )
        for name, app in model.apps.items()
        if only in (None, name)
    }
    for _, context in contexts_below((), model.root):
        for rules in context.rules.values():
            for rule in rules.values():
                if rule.app in apps:
                    apps[rule.app].rules += 1
                    apps[rule.app].suspended += rule.suspended is not None
    return apps


def _not_registered(app: str, field: str | None) -> Refusal:
    message = f"{app_name(app)[:80]!r} is not registered, and nothing was decided about it"
    return Refusal(Code.NO_SUCH_APP, message, field)
