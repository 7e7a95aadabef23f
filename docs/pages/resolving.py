"""The page about resolvers."""

from typing import Final

from model.resolvers.registry import Argument, Resolver
from model.resolvers.summaries import SHIPPED
from pages.markdown import code, page, prose, table

_CONSIDERS: Final = {"plain": "no goals", "goal": "goals only", "any": "everything"}


def resolvers_page() -> str:
    """Describe the resolvers that llum brings along."""
    return page(
        "Resolvers",
        "A resolver turns the evidence of a component into one value. The ask names the resolver. If it does not, the "
        "component's own resolver is used, else that of the nearest context, else `default`.",
        "A resolver gets the evidence that the [filter](filters.md) lets through and that still counts: evidence that "
        "has expired or was withdrawn is left out. If the owner has corrected the component, the correction is the "
        "value, and no resolver is called. An app that [gets one resolver's value and nothing else](permissions.md) "
        "gets what that makes of the correction: a correction would else tell it more than it may know.",
        table(("resolver", "value", "counts"), [_row(one) for one in SHIPPED.values()]),
        "A *goal* is evidence with the flag `goal`: what the person wishes, not what is. Give arguments in "
        "`resolver_arguments` of the ask. An argument that the resolver does not have is refused with `bad_field`.",
        *(part for one in SHIPPED.values() for part in _described(one)),
        "## Your own",
        "[Write a resolver](../how-to/write-a-resolver.md) shows how to add one.",
    )


def _row(one: Resolver) -> tuple[str, str, str]:
    return code(one.name), one.description, _CONSIDERS[one.considers]


def _described(one: Resolver) -> list[str]:
    arguments = [_argument(name, argument) for name, argument in one.arguments.items()]
    listed = [table(("argument", "type", "default", "what"), arguments)] if arguments else []
    return [f"## {one.name}", prose(one.resolve.__doc__), *listed]


def _argument(name: str, one: Argument) -> tuple[str, str, str, str]:
    above = "" if one.above is None else f"; more than {one.above:g}"
    return code(name), one.kind, "none" if one.default is None else code(str(one.default)), one.description + above
