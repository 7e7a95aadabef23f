"""What a rule's app must be permitted where the rule is: when it is made, each time it fires, when it is activated.

It needs to ask the component, because a firing tells that something was said there; to have rules; and for a rule that
calls a URL to notify. All of it is decided with the rights that the model holds at that command, so a replay decides
the same. What the rule asks and tells is judged by itself, when it does.
"""

from typing import Final, Literal

import msgspec

from model import permissions
from model.changes import Change, RuleSuspended, ScheduleDropped, put
from model.permissions import Grant
from model.references import listed_in
from model.stamp import Stamp
from model.state import Model, StoredRule
from schemas.effects import Notice
from schemas.errors import Error, Refusal
from schemas.missing import right
from schemas.paths import Path
from schemas.slices import Action

RuleNeed = Literal["ask", "rules", "notify"]

_ACTIONS: Final[dict[RuleNeed, str]] = {"ask": "ask", "rules": "have rules", "notify": "have rules that call URLs"}


def check_may_have_rules(model: Model, path: Path, name: str, stamp: Stamp) -> Grant:
    """Give what the app may do with the component, or raise `permission_denied`: it needs to ask, and to have rules."""
    grant = permissions.grant_at(model, stamp.app, path, name, stamp.time_s)
    may_ask = _may_ask(model, grant, path, name)
    if grant.rules and may_ask:
        return grant
    lacks: list[Action] = [*(() if may_ask else ("ask",)), *(() if grant.rules else ("rules",))]
    action = "ask" if grant.rules else "have rules"
    raise permissions.denied(stamp.app, action, "context", right(lacks, path, name))


def lacking(model: Model, path: Path, name: str, rule: StoredRule, grant: Grant) -> RuleNeed | None:
    """Say what the rule's app lacks where it has this grant; None: it may do all that the rule needs."""
    if not _may_ask(model, grant, path, name):
        return "ask"
    if not grant.rules:
        return "rules"
    return "notify" if rule.notifies and not grant.notify else None


def suspended_for(path: Path, token: str, rule: StoredRule, need: RuleNeed, stamp: Stamp) -> list[Change]:
    """Say what there is to store, to do and to report when a rule of the component at `path` lacks a right."""
    changes: list[Change] = [put("rule", (*path, token), msgspec.structs.replace(rule, suspended="no_right"))]
    if rule.cron is not None:
        changes.append(ScheduleDropped(path, token))
    return [*changes, reported(path, token, rule, need, stamp)]


def reported(path: Path, token: str, rule: StoredRule, need: RuleNeed, stamp: Stamp) -> RuleSuspended:
    """Say that a rule does not work because its app may not do what it needs."""
    error = _denied(rule, need, path[:-1], path[-1], "statement").error
    hint = f"the model's owner can grant it and then activate rule {token}"
    error = Error(
        error.code, f"{error.message}, so rule {token} is suspended", error.field, hint, missing=error.missing
    )
    return RuleSuspended(path, token, rule.app, stamp.time_s, error)


def may_send(model: Model, notice: Notice, now: float) -> bool:
    """Tell whether a notice that has waited may be sent: by what its app may do there, at this time.

    An app that has been registered anew since, because it was deleted or all its rights were taken, may not: a right
    that it has got again is for what fires from then on.
    """
    app = model.apps.get(notice.app)
    if app is None or notice.seq < app.registration:
        return False
    *path, name = notice.path
    grant = permissions.grant_at(model, notice.app, tuple(path), name, now)
    return grant.rules and grant.notify and _may_ask(model, grant, tuple(path), name)


def check_activation(model: Model, path: Path, name: str, rule: StoredRule, stamp: Stamp) -> None:
    """Raise `permission_denied` unless the rule's app may do what the rule needs."""
    grant = permissions.grant_at(model, rule.app, path, name, stamp.time_s)
    need = lacking(model, path, name, rule, grant)
    if need is not None:
        raise _denied(rule, need, path, name, "token")


def _denied(rule: StoredRule, need: RuleNeed, path: Path, name: str, field: str) -> Refusal:
    return permissions.denied(rule.app, _ACTIONS[need], field, right(need, path, name))


def check_may_ask(model: Model, path: Path, name: str, app: str, stamp: Stamp) -> None:
    """Raise `permission_denied` unless the app may ask the component, whether or not there is one."""
    if not _may_ask(model, permissions.grant_at(model, app, path, name, stamp.time_s), path, name):
        raise permissions.denied(app, "ask", "cause.path", right("ask", path, name))


def _may_ask(model: Model, grant: Grant, path: Path, name: str) -> bool:
    """Tell whether a grant for a component lets it be asked; a bound view must list it. The common case is short."""
    return grant.ask and (grant.bind_view is None or (*path, name) in listed_in(model, *grant.bind_view))
