"""Definitions: contexts, components and views as they are made, and a whole model's definition."""

from typing import Literal

import msgspec

from schemas.evidence import ComponentType, ImportedEvidence, NewEvidence, ValueType

Suspension = Literal["imported", "no_right"]
"""Why a rule is not at work: it came with something imported, or its app has lost the right that it needs."""


class ComponentDefinition(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    name: str
    description: str = ""
    component_type: ComponentType = "attribute"
    value_type: ValueType = "string"
    value_list: list[str] = []
    """The values of an `enum`; empty for other value types."""
    resolver: str | None = None
    """The resolver for asks that name none. If absent: that of the context."""
    goals: list[list[str]] = []
    """Paths of the components that this one serves."""
    evidence: list[NewEvidence] = []
    """First evidence, told when the component is made."""
    rules: list[str] = []
    """Rule statements, kept with the component as they were written."""
    rules_suspended: bool = False
    """The rules are there, and do not fire until an owner's app activates them."""


class ViewDefinition(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    name: str
    components: list[str | list[str]]
    """In order: names of components in the view's own context, or paths from the root."""


class ContextDefinition(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    path: list[str]
    description: str = ""
    resolver: str | None = None
    components: list[ComponentDefinition] = []
    views: list[ViewDefinition] = []


class ModelDefinition(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A whole model: parents stand before their children or are made without a description."""

    contexts: list[ContextDefinition] = []


class ImportedComponent(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    definition: ComponentDefinition
    """Without initial evidence."""
    evidence: list[ImportedEvidence] = []
    """Ascending by acceptance."""


class ImportedContext(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    path: list[str]
    """Below the context that is imported into; [] is that context itself."""
    description: str = ""
    resolver: str | None = None
    components: list[ImportedComponent] = []
    views: list[ViewDefinition] = []
