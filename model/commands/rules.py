"""Rules as part of a model: made, removed, fired. What they say is read by `model.rules.decide`.

A rule's token is `<seq>` of the command that made it, `<seq>-<number>` for the further components of that command, or
`<seq>-<component>-<rule>` if it came with a definition.
Telling or correcting a component fires its rules that have no schedule, in the order of their making; initial and
imported evidence and withdrawals fire nothing. A rule with a schedule fires on that alone.

A rule that is suspended fires on nothing until an owner's app activates it: what is imported (its statement was written
by somebody else) and, with another reason, what has lost the right that it needs.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final

import msgspec

from model import permissions
from model.changes import Change, CountCause, Decision, Fired, ScheduleDropped, SchedulePlanned, drop, put
from model.checks import check_statement, check_unique
from model.commands.quotas import check_pace, check_rules
from model.commands.rule_rights import check_activation, check_may_have_rules, lacking, reported, suspended_for
from model.commands.targets import ComponentPlace, check_owner, existing_component
from model.permissions import Grant, KnownGrants
from model.rules.decide import parse_rule
from model.rules.schedules import LATE_S, missed_of
from model.rules.statement import NotifyAction
from model.stamp import Stamp
from model.state import Context, Model, StoredRule, contexts_below
from schemas.app_names import app_name
from schemas.apps import CRON_APP
from schemas.causes import Cause
from schemas.commands import ActivateRule, DeleteRule, Fire, MakeRule
from schemas.errors import Code, Refusal
from schemas.evidence import Evidence
from schemas.limits import MAX_CAUSES_REMEMBERED, MAX_LIST_ITEMS, MAX_PER_CAUSE, MAX_RULE_DEPTH
from schemas.missing import right
from schemas.paths import Path, check_path
from schemas.plain_checks import check_length, check_name

_ROOT: Final = re.compile(r"[!-~]{1,160}")
_TOKEN: Final = re.compile(r"[0-9]{1,20}(?:-[0-9]{1,10}){0,2}")


def make_rule(model: Model, command: MakeRule, stamp: Stamp) -> Decision:
    """Attach a rule to a component; the result is its token."""
    if command.app is not None:
        _check_may_make_for(model, command.app, stamp)
    check_length(command.further, "further")
    paths = [(*command.context, command.component), *map(tuple, command.further)]
    places = [_place_for_rule(model, stamp, path, number) for number, path in enumerate(paths)]
    check_unique(paths, "further", "path")
    check_statement(command.statement, "statement")
    if command.user is not None:
        check_name(command.user, "user")
    check_rules(model, command.app or stamp.app, [command.statement] * len(places), "statement")
    changes: list[Change] = []
    for (place, grant), token in zip(places, tokens := _tokens(stamp, len(places)), strict=True):
        rule = stored_rule(command.statement, stamp, grant.notify, command.user)
        if command.app is not None:
            rule = msgspec.structs.replace(rule, app=command.app, suspended="imported")
        changes += new_rule(place.full_path, token, rule, stamp)
    return Decision(changes, tokens if command.further else tokens[0])


def _tokens(stamp: Stamp, count: int) -> list[str]:
    return [str(stamp.seq), *(f"{stamp.seq}-{number}" for number in range(1, count))]


def _place_for_rule(model: Model, stamp: Stamp, segments: Path, number: int) -> tuple[ComponentPlace, Grant]:
    """Find the component at a path, which may get a rule of this app; the first one is the command's own."""
    if not segments:
        raise Refusal(Code.BAD_PATH, "the path of a component cannot be empty", f"further[{number - 1}]")
    try:
        path, name = check_path(segments[:-1], "context"), segments[-1]
        grant = check_may_have_rules(model, path, name, stamp)
        place = existing_component(model, path, name)
        check_room_for_rules(place.context, place.name, 1)
    except Refusal as refusal:
        error = refusal.error
        field = f"further[{number - 1}]" if number else error.field
        raise Refusal(error.code, error.message, field, error.hint, error.missing) from refusal
    return place, grant


def check_room_for_rules(context: Context, name: str, more: int) -> None:
    """Check that a component may have so many more rules. Raises `too_large`."""
    if len(context.rules.get(name, ())) + more > MAX_LIST_ITEMS:
        raise Refusal(Code.TOO_LARGE, f"a component has at most {MAX_LIST_ITEMS} rules", "component")


def activate_rule(model: Model, command: ActivateRule, stamp: Stamp) -> Decision:
    """Put suspended rules of one component to work."""
    check_owner(model, stamp.app, "activate rules")
    check_length(command.further, "further")
    place = existing_component(model, check_path(command.context, "context"), command.component)
    changes: list[Change] = []
    for token in dict.fromkeys([command.token, *command.further]):
        changes += _activated(model, place, token, stamp)
    return Decision(changes)


def _activated(model: Model, place: ComponentPlace, token: str, stamp: Stamp) -> list[Change]:
    rule = _rule_at(place, token)
    if rule is None:
        raise _no_such_rule()
    if rule.suspended is None:
        return []
    check_activation(model, place.path, place.name, rule, stamp)
    check_pace(model, rule.app, rule.cron, "token")
    return added_rule(place.full_path, token, msgspec.structs.replace(rule, suspended=None), stamp)


def delete_rule(model: Model, command: DeleteRule, stamp: Stamp) -> Decision:
    """Remove a rule. One that another app made looks to an app like one that is not there."""
    path = check_path(command.context, "context")
    owner = permissions.is_owner(model, stamp.app)
    grant = permissions.grant_at(model, stamp.app, path, command.component, stamp.time_s)
    if not (grant.ask or grant.tell or grant.rules):
        raise permissions.denied(stamp.app, "ask", "context", right("ask", path, command.component))
    place = existing_component(model, path, command.component) if owner else _component_or_not(model, path, command)
    rule = None if place is None else _rule_at(place, command.token)
    if place is None or rule is None or not (owner or rule.app == stamp.app):
        raise _no_such_rule()
    return Decision(removed_rules(place.context, place.path, place.name, [command.token]))


def fire(model: Model, command: Fire, stamp: Stamp) -> Decision:
    """Fire one rule, because its time has come, and have the next one planned.

    One that comes late was missed, by the time at which the log got it: it fires only if the schedule says so, once for
    all that have been missed since.
    """
    if stamp.app != CRON_APP:
        raise permissions.denied(stamp.app, "fire rules")
    place = existing_component(model, check_path(command.context, "context"), command.component)
    rule = _rule_at(place, command.token)
    if rule is None or rule.cron is None or rule.suspended is not None:
        raise _no_such_rule()
    grant = permissions.grant_at(model, rule.app, place.path, place.name, stamp.time_s)
    need = lacking(model, place.path, place.name, rule, grant)
    if need is not None:
        return Decision(suspended_for(place.full_path, command.token, rule, need, stamp))
    fires, after_s = _come_due(rule.cron, command.at, stamp.time_us // 1_000_000)
    planned = SchedulePlanned(place.full_path, command.token, after_s)
    return Decision([planned, Fired(place.full_path, None, command.token)] if fires else [planned])


def _come_due(cron: str, at_s: int, now_s: int) -> tuple[bool, int]:
    """Tell whether a firing for this instant fires, and after which instant the next one comes."""
    if at_s >= now_s - LATE_S:
        return True, min(at_s, now_s + LATE_S)
    if missed_of(cron) == "once":
        return True, now_s
    return False, now_s - LATE_S - 1


def planned_anew(model: Model, stamp: Stamp) -> list[Change]:
    """Plan all schedules anew: the person's clock has changed."""
    return [
        _planned((*path, name), token, stamp)
        for path, context in contexts_below((), model.root)
        for name in sorted(context.rules)
        for token, rule in context.rules[name].items()
        if rule.cron is not None and rule.suspended is None
    ]


def _planned(path: Path, token: str, stamp: Stamp) -> SchedulePlanned:
    return SchedulePlanned(path, token, stamp.time_us // 1_000_000)


def stored_rule(statement: str, stamp: Stamp, may_notify: bool = True, user: str | None = None) -> StoredRule:
    """Make what is stored of a rule that has been checked.

    One that would call a URL and may not is there and suspended: older logs have such rules, made with `tell` alone.
    """
    rule = parse_rule(statement)
    notifies = isinstance(rule.action, NotifyAction)
    return StoredRule(
        statement=statement,
        app=stamp.app,
        created_us=stamp.time_us,
        user=user,
        cron=rule.cron,
        notifies=notifies,
        suspended="no_right" if notifies and not may_notify else None,
    )


def new_rule(path: Path, token: str, rule: StoredRule, stamp: Stamp) -> list[Change]:
    """Say what there is to store, to do and to report for a new rule of the component at `path`."""
    changes = added_rule(path, token, rule, stamp)
    if rule.suspended == "no_right":
        changes.append(reported(path, token, rule, "notify", stamp))
    return changes


def added_rule(path: Path, token: str, rule: StoredRule, stamp: Stamp) -> list[Change]:
    """Say what there is to store and to do for a rule of the component at `path` that is new, or activated."""
    changes: list[Change] = [put("rule", (*path, token), rule)]
    if rule.cron is not None and rule.suspended is None:
        changes.append(_planned(path, token, stamp))
    return changes


def removed_rules(context: Context, path: Path, name: str, tokens: Collection[str]) -> list[Change]:
    """Drop rules of a component that stays: after its last one it is still listed, as one without rules."""
    changes = dropped_rules(context, path, name, tokens)
    component = context.component(name)
    assert component is not None, "only a component has rules"
    if len(tokens) == len(context.rules.get(name, ())) and tokens and not component.had_rules:
        changes.append(put("component", (*path, name), msgspec.structs.replace(component, had_rules=True)))
    return changes


def dropped_rules(context: Context, path: Path, name: str, tokens: Iterable[str]) -> list[Change]:
    """Drop rules of the component `name` in the context at `path`."""
    changes: list[Change] = []
    for token in tokens:
        changes.append(drop("rule", (*path, name, token)))
        if context.rules[name][token].cron is not None:
            changes.append(ScheduleDropped((*path, name), token))
    return changes


def fired(
    model: Model,
    rules: Mapping[str, StoredRule],
    path: Path,
    cause: Cause | None,
    stamp: Stamp,
    known: KnownGrants | None,
    told: Evidence,
) -> list[Change]:
    """Say that the component at `path` was told something, if any of its rules waits for that.

    Rules without the rights that they need end here. Those of an app for which what was `told` does not exist hear
    nothing of it.
    """
    changes: list[Change] = []
    fires, but_not = False, []
    for token, rule in rules.items():
        if fires_on_tells(rule):
            grant = permissions.grant_at(model, rule.app, path[:-1], path[-1], stamp.time_us / 1e6, known)
            need = lacking(model, path[:-1], path[-1], rule, grant)
            if need is not None:
                changes += suspended_for(path, token, rule, need, stamp)
            elif permissions.exists_for(grant, told):
                fires = True
            else:
                but_not.append(token)
    return [*changes, Fired(path, cause, None, tuple(but_not), told.n)] if fires else changes


def fires_on_tells(rule: StoredRule) -> bool:
    return rule.cron is None and rule.suspended is None


def check_cause(model: Model, cause: Cause) -> None:
    """Bound what one first cause can set off. Raises `rule_limit`, or `bad_field` for what llum itself never sends."""
    if not _ROOT.fullmatch(cause.root):
        raise Refusal(Code.BAD_FIELD, "a root is 1 to 160 printable ASCII characters", "cause.root")
    if not _TOKEN.fullmatch(cause.rule):
        raise Refusal(Code.BAD_FIELD, "that is not the token of a rule", "cause.rule")
    if not 0 < cause.depth <= MAX_RULE_DEPTH:
        message = f"rules have set off one another {cause.depth} times in a row, at most {MAX_RULE_DEPTH}"
        raise Refusal(Code.RULE_LIMIT, message, "cause.depth", "look for rules that set off each other")
    if model.causes.get(cause.root, 0) >= MAX_PER_CAUSE:
        message = f"one cause has set off {MAX_PER_CAUSE} commands"
        raise Refusal(Code.RULE_LIMIT, message, "cause.root", "look for rules that set off each other")


def counted_cause(model: Model, cause: Cause) -> list[Change]:
    """Count a command of a rule; the cause that has been counted least recently is forgotten for a new one."""
    count = model.causes.get(cause.root, 0) + 1
    changes: list[Change] = [CountCause(cause.root, count)]
    if count == 1 and len(model.causes) >= MAX_CAUSES_REMEMBERED:
        changes.append(CountCause(next(iter(model.causes)), 0))
    return changes


def _no_such_rule() -> Refusal:
    return Refusal(Code.NO_SUCH_RULE, "the component has no such rule", "token", "list the rules of the component")


def _rule_at(place: ComponentPlace, token: str) -> StoredRule | None:
    return place.context.rules.get(place.name, {}).get(token)


def _component_or_not(model: Model, path: Path, command: DeleteRule) -> ComponentPlace | None:
    """Find a component for an app that learns nothing more from there being none."""
    context = model.context(path)
    component = None if context is None else context.component(command.component)
    return None if context is None or component is None else ComponentPlace(path, context, command.component, component)


def _check_may_make_for(model: Model, app: str, stamp: Stamp) -> None:
    check_owner(model, stamp.app, "make rules of others")
    if app not in model.apps:
        raise Refusal(Code.NO_SUCH_APP, f"{app_name(app)[:80]!r} is not registered", "app", "register the app first")
