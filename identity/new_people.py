"""The model that a new person starts with."""

from typing import Final

from schemas.definitions import ComponentDefinition, ModelDefinition
from schemas.evidence import NewEvidence

DEFAULT_DEFINITION: Final = "default.mdef"


def default_model(user: str, **personal: str) -> ModelDefinition:
    """Give the default model with what is known of the person filled in."""
    # Here: few processes make models, and these take a moment to import.
    import importlib.metadata
    from importlib.resources import files

    from model.formats.mdef import parse_mdef

    definition = parse_mdef((files("identity") / DEFAULT_DEFINITION).read_text("utf-8"))
    fill(definition, ["Personal"], personal)
    fill(definition, ["modelinfo"], {"modeled": user, "personisversion": importlib.metadata.version("llum")})
    return definition


def fill(definition: ModelDefinition, path: list[str], values: dict[str, str]) -> None:
    """Tell initial values to components of a definition; those that are empty or not defined are left out."""
    for component in components_at(definition, path):
        if value := values.get(component.name):
            component.evidence = [*component.evidence, NewEvidence(value=value)]


def components_at(definition: ModelDefinition, path: list[str]) -> list[ComponentDefinition]:
    """Give the components of one context of a definition."""
    return [component for context in definition.contexts if context.path == path for component in context.components]
