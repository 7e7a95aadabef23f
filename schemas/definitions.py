"""Definitions: contexts, components and views as they are made, and a whole model's definition."""

from typing import Any, Literal

import msgspec

from schemas.evidence import ComponentType, ImportedEvidence, NewEvidence, ValueType
from schemas.permissions import Permission

Suspension = Literal["imported", "no_right", "revoked"]
"""Why a rule is not at work: it came with something imported, or its app has lost the right that it needs, or all
rights, by a decision of the owner."""


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

    extra: dict[str, Any] = {}
    """Other members, kept and given back unchanged: at most 4 KiB of JSON."""


class ViewDefinition(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    name: str
    components: list[str | list[str]]
    """In order: names of components in the view's own context, or paths from the root."""
    description: str = ""
    extra: dict[str, Any] = {}
    """As that of a component."""


class ContextDefinition(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    path: list[str]
    description: str = ""
    resolver: str | None = None
    components: list[ComponentDefinition] = []
    views: list[ViewDefinition] = []


class ModelDefinition(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A whole model: parents stand before their children or are made without a description."""

    contexts: list[ContextDefinition] = []


class ImportedApp(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """An app that is registered with an import; one that is registered stays as it is."""

    description: str = ""
    """An app that is there and has none gets it."""
    role: Literal["owner", "app"] = "app"
    origins: list[str] = []
    """Where its web pages come from."""


class ImportedRule(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, frozen=True):
    """A rule that somebody else has written: it is suspended until an owner's app activates it."""

    statement: str
    user: str | None = None
    app: str | None = None
    """Whose rule it is; null: the importing app's. One of an app that is not registered is skipped."""


class ImportedComponent(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    definition: ComponentDefinition
    """Its initial evidence (with `only_new` alone) and rules are for a component that is made."""
    evidence: list[ImportedEvidence] = []
    """Ascending by acceptance."""
    rules: list[ImportedRule] = []
    """Rules for a component that may be there: one that it has is not made again."""
    permissions: dict[str, Permission] = {}
    """What is set with this component, by grantee: an app's id, or `app@person` for its rules in that model."""
    creation_time: float | None = None
    """When it was made, if it is made here; later than now counts as now."""


class ImportedContext(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    path: list[str]
    """Below the context that is imported into; [] is that context itself."""
    description: str = ""
    resolver: str | None = None
    components: list[ImportedComponent] = []
    views: list[ViewDefinition] = []
    permissions: dict[str, Permission] = {}
    """What is set in this context, by grantee as for a component. For an app that is not registered it is skipped."""
    extra: dict[str, Any] = {}
    """Other members, kept and given back unchanged: at most 4 KiB of JSON."""
    creation_time: float | None = None
    """As that of a component."""
    time_zone: str | None = None
    """The person's, for a model's root that has none; elsewhere it has no effect."""
