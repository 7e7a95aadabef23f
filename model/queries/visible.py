"""What is in a context, as far as an app may see it. Rules are shown to the app that made them and to owner apps."""

from collections.abc import Iterable

from model.permissions import OWNER, Asker
from model.queries.targets import Place, visible_components
from model.sight import Sight
from model.state import Context, StoredRule
from schemas.replies import RuleDescription, ViewDetails


def visible_contexts(asker: Asker, place: Place) -> list[str]:
    """Give the names of the sub-contexts that the app may ask; to one that is bound to a view, none is shown."""
    if place.grant.bind_view is not None:
        return []
    return [name for name in sorted(place.context.children) if asker.grant((*place.path, name)).ask]


def visible_views(asker: Asker, place: Place) -> dict[str, list[str | list[str]]]:
    """Give the views, each with what the app may ask of it; to an app that is bound to one here, only that one."""
    views = place.context.views
    if not views or place.grant is OWNER:
        return {name: views[name].components for name in sorted(views)}
    sight, bound = Sight(asker), place.grant.bind_view
    shown = {
        name: (view.components, sight.elements(place.path, view.components))
        for name, view in sorted(views.items())
        if bound in (None, (place.path, name))
    }
    return {name: seen for name, (listed, seen) in shown.items() if seen or not listed}


def view_details(place: Place, shown: Iterable[str]) -> dict[str, ViewDetails]:
    """Give what the views that are shown have beside their components; those that have nothing are left out."""
    views = place.context.views
    return {
        name: ViewDetails(description=views[name].description, extra=views[name].extra or {})
        for name in shown
        if views[name].description or views[name].extra
    }


def visible_rules(asker: Asker, place: Place) -> dict[str, dict[str, RuleDescription]]:
    """Give the rules by component and token; components without any are left out."""
    if not place.context.rules:
        return {}
    shown = {target.name: rules_of(asker, place.context, target.name) for target in visible_components(asker, place)}
    return {name: rules for name, rules in shown.items() if rules}


def with_former_rules(
    asker: Asker, place: Place, rules: dict[str, dict[str, RuleDescription]]
) -> dict[str, dict[str, RuleDescription]]:
    """Add, for an owner, the components that had rules and have none."""
    if not asker.is_owner:
        return rules
    return {name: {} for name, leaf in place.context.contents.components.items() if leaf.had_rules} | rules


def rules_of(asker: Asker, context: Context, name: str) -> dict[str, RuleDescription]:
    """Give those rules of one component that the app may see."""
    return {
        token: _described(rule)
        for token, rule in context.rules.get(name, {}).items()
        if asker.is_owner or rule.app == asker.app
    }


def _described(rule: StoredRule) -> RuleDescription:
    return RuleDescription(
        statement=rule.statement,
        app=rule.app,
        created=rule.created_us / 1e6,
        user=rule.user,
        schedule=rule.cron,
        suspended=rule.suspended,
    )
