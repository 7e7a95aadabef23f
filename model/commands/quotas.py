"""Quotas: how much an app may have in a person's model. Each function returns nothing or raises `quota`.

They are part of the model, as the operator has set them by a command, and not settings of a process: then a command
that was accepted is accepted by each replay, whatever was set since.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from model import permissions
from model.changes import Decision, put
from model.rules.decide import parse_rule
from model.rules.schedules import CronError, parse_cron
from model.stamp import Stamp
from model.state import Context, Model, StoredRule, contexts_below
from schemas.app_names import app_name
from schemas.apps import ADMIN_APP
from schemas.commands import SetQuota
from schemas.errors import Code, Refusal
from schemas.paths import check_token
from schemas.quotas import DEFAULT_QUOTAS, MAX_QUOTA, QUOTA_PARTS, Quotas

_HINT: Final = "delete some, or let the operator allow more: `llum admin app quota`"


def set_quota(model: Model, command: SetQuota, stamp: Stamp) -> Decision:
    """Change how much an app may have. For the operator alone: owners cannot allow their apps more."""
    if stamp.app != ADMIN_APP:
        raise permissions.denied(stamp.app, "set quotas")
    app = model.apps.get(check_token(command.app, "app"))
    if app is None:
        raise Refusal(Code.NO_SUCH_APP, f"{app_name(command.app)} is not registered", "app", "register the app first")
    said = {part: value for part in QUOTA_PARTS if (value := getattr(command, part)) is not None}
    for part, value in said.items():
        if not 0 <= value <= MAX_QUOTA:
            raise Refusal(Code.BAD_FIELD, f"a quota is a number from 0 to {MAX_QUOTA}", part)
    quotas = msgspec.structs.replace(app.quotas or DEFAULT_QUOTAS, **said)
    changed = msgspec.structs.replace(app, quotas=None if quotas == DEFAULT_QUOTAS else quotas)
    return Decision([] if changed == app else [put("app", (command.app,), changed)])


def quotas_of(model: Model, app: str) -> Quotas:
    registered = model.apps.get(app)
    return DEFAULT_QUOTAS if registered is None or registered.quotas is None else registered.quotas


def maker_of(model: Model, app: str) -> str:
    """Give what is noted with a thing that the app makes; what an owner's app makes is not counted."""
    return "" if permissions.is_owner(model, app) else app


def check_thing(model: Model, app: str) -> None:
    """Check that the app may make one more context, component or view."""
    check_things(model, app, 1)


def check_things(model: Model, app: str, new: int) -> None:
    """Check that the app may make so many more contexts, components and views."""
    if not permissions.is_owner(model, app):
        bound = quotas_of(model, app).things
        if sum(_things_of(context, app) for _, context in contexts_below((), model.root)) + new > bound:
            raise _exceeded(app, f"has made {bound} contexts, components and views")


def check_rules(model: Model, app: str, statements: Iterable[str], field: str) -> None:
    """Check that the app may have these rules beside those that it has."""
    new = [parse_rule(statement).cron for statement in statements]
    for cron in new:
        check_pace(model, app, cron, field)
    if permissions.is_owner(model, app):
        return
    quotas, there = quotas_of(model, app), list(_rules_of(model, app))
    if len(there) + len(new) > quotas.rules:
        raise _exceeded(app, f"has {len(there)} rules, at most {quotas.rules}")
    scheduled = sum(rule.cron is not None for rule in there)
    if any(new) and scheduled + sum(cron is not None for cron in new) > quotas.schedules:
        raise _exceeded(app, f"has {scheduled} rules with a schedule, at most {quotas.schedules}")


def check_pace(model: Model, app: str, cron: str | None, field: str) -> None:
    """Check how often a schedule fires; one that cannot be read is refused when it is to be installed."""
    if cron is None:
        return
    most = quotas_of(model, app).fires_per_minute
    try:
        times = parse_cron(cron).times_a_minute
    except CronError:
        return
    if times > most:
        message = f"a schedule of {app_name(app)} may fire {most} times a minute, this one would {times} times"
        hint = "name one second, or let the operator allow more: `llum admin app quota --fires-per-minute`"
        raise Refusal(Code.QUOTA, message, field, hint)


def _rules_of(model: Model, app: str) -> Iterator[StoredRule]:
    for _, context in contexts_below((), model.root):
        for by_token in context.rules.values():
            yield from (rule for rule in by_token.values() if rule.app == app)


def _things_of(context: Context, app: str) -> int:
    contents = context.contents
    leaves = sum(leaf.made_by == app for leaf in contents.components.values())
    views = sum(view.made_by == app for view in contents.views.values())
    return leaves + views + (contents.item.made_by == app)


def _exceeded(app: str, what: str) -> Refusal:
    return Refusal(Code.QUOTA, f"{app_name(app)} {what}", None, _HINT)
