"""The default model, filled in for a person."""

from identity.new_people import default_model, fill
from schemas.definitions import ComponentDefinition, ContextDefinition, ModelDefinition


def values(definition: ModelDefinition, path: list[str]) -> dict[str, list[object]]:
    return {
        component.name: [one.value for one in component.evidence]
        for context in definition.contexts
        if context.path == path
        for component in context.components
    }


def test_default_model_knows_what_was_said() -> None:
    """Names and address become first evidence; what was not said stays empty."""
    definition = default_model("alice", firstname="Alice", lastname="", email="a@example.org")
    personal = values(definition, ["Personal"])
    assert personal["firstname"] == ["Alice"]
    assert personal["lastname"] == []
    assert personal["email"] == ["a@example.org"]
    assert values(definition, ["modelinfo"])["modeled"] == ["alice"]
    contexts = [context.path for context in definition.contexts]
    for path in (["Devices"], ["Apps"], ["Goals"], ["Goals", "Health"], ["modelinfo"], ["Personal"]):
        assert path in contexts


def test_fill_passes_over_what_is_not_defined() -> None:
    """A definition of one's own need not have these components."""
    definition = ModelDefinition(
        contexts=[ContextDefinition(path=["Personal"], components=[ComponentDefinition(name="email")])]
    )
    fill(definition, ["Personal"], {"email": "x", "shoe_size": "43"})
    assert values(definition, ["Personal"]) == {"email": ["x"]}
