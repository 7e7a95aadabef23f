"""What is found, as text."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import click

from llum.cli import layout, render
from llum.cli.rights import verbs
from llum.people.apps import ListedApp
from schemas.errors import raised_from
from schemas.evidence import Evidence
from schemas.lookalikes import warnings
from schemas.paths import format_path
from schemas.permissions import Permission
from schemas.replies import AskReply, ComponentAnswer, ContextReply, RuleDescription

YES_NO: Final = {True: "yes", False: "no", None: "-"}


def context(about: ContextReply, reply: AskReply, width: int | None) -> str:
    """Show a context: what it is, the contexts in it, its components with their values, its views."""
    parts = [layout.paragraph(about.description, width)] if about.description else []
    if about.resolver:
        parts.append(layout.facts([("resolver", about.resolver)], width))
    if about.contexts:
        parts.append(layout.columns([f"{name}/" for name in about.contexts], width))
    if reply.components or reply.failures:
        parts.append(values(reply, width))
    if about.views:
        parts.append(layout.table(("view", "components"), map(_view, about.views.items()), width))
    names = [*about.contexts, *(one.path[-1] for one in reply.components), *about.views]
    parts += [layout.paragraph(line, width) for line in warnings(names)]
    return "\n\n".join(parts) or "nothing is here yet"


def values(reply: AskReply, width: int | None, by_path: bool = False) -> str:
    """Show components with their values, and those that cannot be answered with the reason."""
    rows = [(_name(one.path, by_path), render.as_json(one.value), one.description) for one in reply.components]
    rows += [(_name(one.path, by_path), "-", str(raised_from(one.error))) for one in reply.failures]
    return layout.table(("component", "value", "what it is"), rows, width)


def component(answer: ComponentAnswer, width: int | None) -> str:
    """Show what a component is, and its value."""
    why = answer.explanation
    kind = f"{answer.component_type}, {answer.value_type}"
    if answer.value_list:
        kind += f" of {', '.join(answer.value_list)}"
    pairs = [("value", render.as_json(answer.value))]
    pairs += [("what it is", answer.description)] if answer.description else []
    pairs.append(("type", kind))
    if why is not None:
        pairs.append(("resolver", f"{why.resolver} ({render.ORIGINS.get(why.resolver_from, 'the default')})"))
    if answer.goals:
        pairs.append(("goals", ", ".join("/" + format_path(goal) for goal in answer.goals)))
    pairs.append(("made", render.moment(answer.creation_time)))
    return layout.facts(pairs, width)


def evidence(pieces: Sequence[Evidence] | None, limit: int, width: int | None) -> str:
    """Show the newest pieces of evidence, the oldest of them first."""
    if pieces is None:
        return "its evidence is not shown to this app"
    if not pieces:
        return "no evidence yet"
    shown = layout.table(("time", "told by", "type", "seq", "value", "notes"), map(_piece, pieces[-limit:]), width)
    return shown if len(pieces) <= limit else f"{shown}\nolder ones: ls -n {limit * 10}"


def rules(by_token: Mapping[str, RuleDescription], width: int | None) -> str:
    """Show the rules of one component."""
    return _rules((), [((), token, rule) for token, rule in by_token.items()], width)


def all_rules(by_component: Mapping[str, Mapping[str, RuleDescription]], width: int | None) -> str:
    """Show the rules of several components."""
    placed = [((name,), token, rule) for name, rules in by_component.items() for token, rule in rules.items()]
    return _rules(("component",), placed, width)


def _rules(
    before: tuple[str, ...], placed: Sequence[tuple[tuple[str, ...], str, RuleDescription]], width: int | None
) -> str:
    """Show rules behind their places; what they are at is said where one of them is suspended."""
    says = any(rule.suspended for _, _, rule in placed)
    rows = [(*place, token, rule.app, *_state(rule, says), rule.statement) for place, token, rule in placed]
    return layout.table((*before, "rule", "app", *(["is"] if says else []), "statement"), rows, width)


def _state(rule: RuleDescription, says: bool) -> list[str]:
    return [render.SUSPENSIONS[rule.suspended] if rule.suspended else "at work"] if says else []


def permissions(settings: Iterable[tuple[str, str, Permission]], width: int | None) -> str:
    """Show what is set for apps: (app, place, parts)."""
    rows = [(app, place, *_granted(parts)) for app, place, parts in settings]
    return layout.table(("app", "at", "may", "may not", "limits"), rows, width)


def explained(answer: ComponentAnswer, width: int | None) -> str:
    """Say why a component has its value."""
    return "\n".join(layout.paragraph(line, width) for line in render.explanation(answer).splitlines())


def _name(path: Sequence[str], by_path: bool) -> str:
    return "/" + format_path(list(path)) if by_path else path[-1]


def _view(item: tuple[str, Sequence[str | list[str]]]) -> tuple[str, str]:
    name, components = item
    return name, ", ".join(one if isinstance(one, str) else "/" + format_path(one) for one in components)


def _piece(one: Evidence) -> tuple[str, ...]:
    value = render.as_json(one.value)
    name = render.piece_name(one.seq, one.n)
    return render.moment(one.held_from), one.source, one.evidence_type, name, value, "; ".join(_notes(one))


def _notes(one: Evidence) -> list[str]:
    notes = list(one.flags)
    notes += ["correction"] if one.correction else []
    notes += [render.withdrawal(one.withdrawn)] if one.withdrawn else []
    notes += [f"by rule {one.rule}"] if one.rule else []
    notes += [f"until {render.moment(one.useby)}"] if one.useby is not None else []
    return notes + ([one.comment] if one.comment else [])


def _granted(parts: Permission) -> tuple[str, str, str]:
    restricted = (("resolvers", parts.resolvers), ("filters", parts.filters))
    limits = [f"{what} {', '.join(names)}" for what, names in restricted if names]
    limits += [f"only {parts.bind_resolver}"] if parts.bind_resolver else []
    limits += [f"only view {parts.bind_view}"] if parts.bind_view else []
    limits += [f"only {', '.join(parts.types)} evidence"] if parts.types else []
    limits += [f"past {parts.past:g} s"] if parts.past else []
    limits += [f"only evidence since {render.moment(parts.since)}"] if parts.since else []
    limits += [f"until {render.moment(parts.expires)}"] if parts.expires else []
    limits += [f"for: {parts.purpose}"] if parts.purpose else []
    return verbs(parts, True) or "-", verbs(parts, False) or "-", "; ".join(limits)


def listed_apps(rows: Iterable[ListedApp], width: int | None) -> str:
    """Show apps."""
    shown = [(one.name, one.role, YES_NO[one.password], one.description) for one in rows]
    listed = layout.table(("app", "role", "password", "what it is"), shown, width)
    return "\n\n".join([listed, *(layout.paragraph(line, width) for line in warnings(name for name, *_ in shown))])


def named(descriptions: Mapping[str, str], head: str, width: int | None) -> str:
    """Show names with what they are."""
    return layout.table((head, "what it is"), descriptions.items(), width)


def heading(text: str) -> str:
    """Make a heading stand out."""
    return click.style(text, bold=True)


def counted(counts: Mapping[str, int]) -> str:
    """List how many there are of what; nothing if there are none."""
    return ", ".join(f"{count} {_noun(what, count)}" for what, count in counts.items() if count)


def _noun(what: str, count: int) -> str:
    plural = "pieces of evidence" if what == "evidence" else what
    return plural if count > 1 else plural.replace("s of", " of").removesuffix("s")
