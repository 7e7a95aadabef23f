"""The models whose memory is measured: half of their components are in contexts of the person's own."""

from collections.abc import Iterator

from bench import people
from bench.people import COMPONENTS, Addressed
from schemas.commands import Tell
from schemas.definitions import ComponentDefinition, ContextDefinition, ModelDefinition
from schemas.evidence import NewEvidence

_OWN_CONTEXTS = 2
_OWN_COMPONENTS = COMPONENTS // 2 // _OWN_CONTEXTS


def definition(user: str) -> ModelDefinition:
    """Define a model: one context that all people have, and two with names, components and descriptions of its own."""
    common = people.definition().contexts[0]
    common.components = common.components[: COMPONENTS // 2]
    return ModelDefinition(contexts=[common, *(_own(user, number) for number in range(_OWN_CONTEXTS))])


def commands(users: list[str]) -> Iterator[Addressed]:
    """Make each model, and tell each component once."""
    for user in users:
        made = definition(user)
        yield user, people.making(made)
        places = [(context.path, component.name) for context in made.contexts for component in context.components]
        for number, (path, name) in enumerate(places):
            evidence = NewEvidence(value=f"what a sensor saw at {number}")
            yield user, Tell(id=f"tell-{number}", context=path, component=name, evidence=evidence)


def _own(user: str, number: int) -> ContextDefinition:
    names = [f"{user}'s {number}-{each}" for each in range(_OWN_COMPONENTS)]
    components = [ComponentDefinition(name=name, description=f"What is known of {name}.") for name in names]
    return ContextDefinition(path=[f"Of {user}, {number}"], description=f"A place of {user}.", components=components)
