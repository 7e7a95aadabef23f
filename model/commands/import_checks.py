"""What an import must be, all of it, before any of it is made. Refusals name the component by its path."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from model.checks import (
    check_below,
    check_component,
    check_count,
    check_evidence,
    check_extra,
    check_resolver,
    check_statement,
    check_unique,
    check_view,
)
from model.commands.apps import check_permission
from model.commands.quotas import check_rules
from model.commands.rules import check_room_for_rules
from model.permissions import parted_grantee
from model.state import Component, Model
from schemas.apps import check_app, check_origins
from schemas.commands import Import
from schemas.definitions import ImportedComponent, ImportedContext, ImportedRule
from schemas.errors import Code, Refusal
from schemas.evidence import ImportedEvidence
from schemas.grants import ConsentDecision
from schemas.paths import Path, check_path, check_token, format_path
from schemas.permissions import Permission
from schemas.plain_checks import check_length, check_name, check_text, check_time
from schemas.time_zones import check_zone_name


def check_import(model: Model, base: Path, command: Import, app: str) -> None:
    """Check everything in an import by an app that goes below the context at `base`."""
    contexts = command.contexts
    check_count(len(command.apps) + sum(map(_things, contexts)), "contexts")
    _check_apps(command)
    check_length(command.decisions, "decisions")
    for index, decision in enumerate(command.decisions):
        _check_decision(decision, f"decisions[{index}]")
    check_unique((tuple(context.path) for context in contexts), "contexts", "path")
    for index, context in enumerate(contexts):
        _check_context(model, base, context, f"contexts[{index}]", command.only_new)
    for owner, statements in _rules_by_app(command, app).items():
        check_rules(model, owner, statements, "contexts")


def _rules_by_app(command: Import, importer: str) -> dict[str, list[str]]:
    rules: dict[str, list[str]] = {}
    for context in command.contexts:
        for component in context.components:
            for rule in component.rules:
                rules.setdefault(rule.app or importer, []).append(rule.statement)
            if command.only_new:
                rules.setdefault(importer, []).extend(component.definition.rules)
    return rules


def _things(context: ImportedContext) -> int:
    """Count what would be made of a context; `model.formats.parcels` counts alike."""
    inside = sum(
        1 + len(one.evidence) + len(one.definition.evidence) + len(one.rules) + len(one.permissions)
        for one in context.components
    )
    return 1 + len(context.path) + len(context.permissions) + len(context.views) + inside


def _check_decision(decision: ConsentDecision, field: str) -> None:
    check_token(decision.app, f"{field}.app")
    check_time(decision.time, f"{field}.time")
    for name in ("by", "how", "name", "host", "purpose"):
        check_text(getattr(decision, name), f"{field}.{name}")


def _check_apps(command: Import) -> None:
    for name, app in command.apps.items():
        check_app(name, f"apps.{name[:64]}")
        check_text(app.description, f"apps.{name[:64]}.description")
        check_origins(app.origins, f"apps.{name[:64]}.origins")


def _check_context(model: Model, base: Path, context: ImportedContext, at: str, only_new: bool) -> None:
    path = check_path([*base, *context.path], f"{at}.path")
    with _about(path):
        check_text(context.description, f"{at}.description")
        check_resolver(context.resolver, f"{at}.resolver")
        check_extra(context.extra, f"{at}.extra")
        _check_creation_time(context.creation_time, at)
        if context.time_zone is not None:
            check_zone_name(context.time_zone, f"{at}.time_zone")
        _check_permissions(model, context.permissions, f"{at}.permissions", for_component=False)
    _check_components(model, path, context.components, f"{at}.components", only_new)
    for position, view in enumerate(context.views):
        with _about((*path, view.name)):
            check_view(view, f"{at}.views[{position}]")
            check_below(path, f"{at}.views[{position}].name")
    check_unique((view.name for view in context.views), f"{at}.views", "name")


def _check_components(
    model: Model, path: Path, components: Sequence[ImportedComponent], field: str, only_new: bool
) -> None:
    there = model.context(path)
    for index, imported in enumerate(components):
        name, at = imported.definition.name, f"{field}[{index}]"
        with _about((*path, name)):
            _check_component(path, imported, None if there is None else there.component(name), at, only_new)
            _check_permissions(model, imported.permissions, f"{at}.permissions", for_component=True)
            if there is not None and not only_new:
                check_room_for_rules(there, name, len(imported.rules))
    check_unique((imported.definition.name for imported in components), field, "definition.name")


@contextmanager
def _about(path: Path) -> Iterator[None]:
    """Have refusals from inside say what they are about: whoever imports knows paths, and no numbers."""
    try:
        yield
    except Refusal as refusal:
        error = refusal.error
        about = format_path(path)[:200] or "the root"
        raise Refusal(error.code, f"{about}: {error.message}", error.field, error.hint) from refusal


def _check_component(
    path: Path, imported: ImportedComponent, existing: Component | None, at: str, only_new: bool
) -> None:
    check_component(imported.definition, f"{at}.definition")
    check_below(path, f"{at}.definition.name")
    if imported.definition.evidence and not only_new:
        raise Refusal(Code.BAD_FIELD, "an imported component has no initial evidence", f"{at}.definition.evidence")
    _check_creation_time(imported.creation_time, at)
    _check_rules(imported.rules, f"{at}.rules")
    kind = existing or imported.definition
    for index, new in enumerate(imported.evidence):
        check_evidence(new, kind.value_type, kind.value_list, f"{at}.evidence[{index}]")
        _check_stamps(new, f"{at}.evidence[{index}]")


def _check_creation_time(time_s: float | None, at: str) -> None:
    if time_s is not None:
        check_time(time_s, f"{at}.creation_time")


def _check_rules(rules: Sequence[ImportedRule], field: str) -> None:
    check_length(rules, field)
    for index, rule in enumerate(rules):
        check_statement(rule.statement, f"{field}[{index}].statement")
        if rule.user is not None:
            check_name(rule.user, f"{field}[{index}].user")
        if rule.app is not None:
            check_token(rule.app, f"{field}[{index}].app")


def _check_permissions(model: Model, settings: dict[str, Permission], field: str, *, for_component: bool) -> None:
    for grantee, setting in settings.items():
        check_token(parted_grantee(grantee)[0], field)
        check_permission(model, grantee, setting, f"{field}.{grantee[:64]}.", for_component=for_component)


def _check_stamps(new: ImportedEvidence, at: str) -> None:
    check_name(new.source, f"{at}.source")
    check_name(new.owner, f"{at}.owner")
    check_time(new.creation_time, f"{at}.creation_time")
    if new.rule is not None:
        check_name(new.rule, f"{at}.rule")
    if new.withdrawn is not None:
        check_name(new.withdrawn.by, f"{at}.withdrawn.by")
        check_time(new.withdrawn.time, f"{at}.withdrawn.time")
        check_text(new.withdrawn.comment or "", f"{at}.withdrawn.comment")
