"""The rules of a person, as the command line sees them."""

from collections.abc import Sequence
from typing import NamedTuple

from bus.as_app import new_id
from bus.schedules import planned_of
from llum.client import Client
from llum.given_paths import PathLike
from schemas.commands import ActivateRule
from schemas.effects import Firing
from schemas.errors import Code, Refusal
from schemas.paths import check_token, parse_path
from schemas.replies import RuleDescription


class FoundRule(NamedTuple):
    """A rule with the component that it belongs to."""

    path: list[str]
    """Of the component, from the root."""
    token: str
    rule: RuleDescription
    fires_next: int | None = None
    """When its schedule fires next, seconds since 1970; None: it has none, or nothing is planned for it."""
    time_zone: str | None = None
    """The person's, or that of the installation: the zone by which that was planned."""


async def list_rules(client: Client, user: str, context: PathLike = ()) -> list[FoundRule]:
    """List the rules in a context and below, contexts before those in them. Raises a `Refusal`."""
    rules: list[FoundRule] = []
    planned = {one.token: one for one in await planned_of(client.bus, check_token(user, "user"))}
    waiting = [list(parse_path(context) if isinstance(context, str) else context)]
    while waiting:
        path = waiting.pop()
        for name, by_token in (await client.list_rules(user, path)).items():
            rules += [_found([*path, name], token, rule, planned.get(token)) for token, rule in by_token.items()]
        below = (await client.get_context(user, path)).contexts
        waiting += [[*path, name] for name in reversed(below)]
    return rules


def _found(path: list[str], token: str, rule: RuleDescription, planned: Firing | None) -> FoundRule:
    if planned is None:
        return FoundRule(path, token, rule)
    return FoundRule(path, token, rule, planned.at, planned.time_zone)


async def activate_rules(client: Client, user: str, component: str, tokens: Sequence[str]) -> list[FoundRule]:
    """Put suspended rules of a component to work, without tokens all of them; give those.

    Raises a `Refusal`, then none of them is at work.
    """
    path = list(parse_path(component, "component"))
    there = (await client.list_rules(user, path[:-1], component=path[-1])).get(path[-1], {}) if path else {}
    wanted = tokens or [token for token, rule in there.items() if rule.suspended]
    for token in wanted:
        if token not in there:
            hint = f"`llum admin rule list {user}` shows the rules."
            raise Refusal(Code.NO_SUCH_RULE, f"{component} has no rule {token[:80]}", "rule", hint)
    if not wanted:
        raise Refusal(Code.NO_SUCH_RULE, f"no rule at {component} is suspended")
    first, *further = wanted
    command = ActivateRule(id=new_id(), context=path[:-1], component=path[-1], token=first, further=further)
    await client.send(user, command)
    return [FoundRule(path, token, there[token]) for token in wanted]
