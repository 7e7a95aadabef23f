"""The rules of a person, as the command line sees them."""

from collections.abc import Sequence
from typing import NamedTuple

from bus.as_app import new_id
from llum.client import Client
from llum.given_paths import PathLike
from schemas.commands import ActivateRule
from schemas.errors import Code, Refusal
from schemas.paths import parse_path
from schemas.replies import RuleDescription


class FoundRule(NamedTuple):
    """A rule with the component that it belongs to."""

    path: list[str]
    """Of the component, from the root."""
    token: str
    rule: RuleDescription


async def list_rules(client: Client, user: str, context: PathLike = ()) -> list[FoundRule]:
    """List the rules in a context and below, contexts before those in them. Raises a `Refusal`."""
    rules: list[FoundRule] = []
    waiting = [list(parse_path(context) if isinstance(context, str) else context)]
    while waiting:
        path = waiting.pop()
        for name, by_token in (await client.list_rules(user, path)).items():
            rules += [FoundRule([*path, name], token, rule) for token, rule in by_token.items()]
        below = (await client.get_context(user, path)).contexts
        waiting += [[*path, name] for name in reversed(below)]
    return rules


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
