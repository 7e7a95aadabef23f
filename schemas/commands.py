"""Commands: what may change a model. Sent to `llum.cmd.<user>.<app>.<verb>`, kept in the log, applied in order.

`id` is chosen by the sender and unique per user and app: a repeat changes nothing and gets the first outcome.
The verb is the struct's tag and must be the subject's last token.
"""

from typing import Literal

import msgspec

from schemas.definitions import ComponentDefinition, ModelDefinition, ViewDefinition
from schemas.evidence import NewEvidence
from schemas.limits import PROTOCOL_VERSION


class _Command(msgspec.Struct, kw_only=True, tag_field="verb", omit_defaults=True, forbid_unknown_fields=True):
    id: str
    v: int = PROTOCOL_VERSION


class Tell(_Command, tag="tell"):
    """Add one piece of evidence to a component. Needs `tell` there. Accepted with no result."""

    context: list[str]
    component: str
    evidence: NewEvidence


class MakeModel(_Command, tag="mkmodel"):
    """Make the user's model from a definition; the sending app becomes its owner app. Refused `already_exists`."""

    definition: ModelDefinition = msgspec.field(default_factory=ModelDefinition)


class MakeContext(_Command, tag="mkcontext"):
    """Make a context below `context` (which must exist; [] is the root). Needs `tell` there."""

    context: list[str]
    name: str
    description: str = ""
    resolver: str | None = None
    exist_ok: bool = False
    """Accept without change when a context of that name is there."""


class MakeComponent(_Command, tag="mkcomponent"):
    """Make a component in a context. Needs `tell` there."""

    context: list[str]
    component: ComponentDefinition
    exist_ok: bool = False


class MakeView(_Command, tag="mkview"):
    """Make or replace a view in a context. Needs `tell` there."""

    context: list[str]
    view: ViewDefinition


class RegisterApp(_Command, tag="registerapp"):
    """Register an app with the model, or change its description. Owner apps only. `role` owner: may do everything."""

    app: str
    description: str = ""
    role: Literal["owner", "app"] = "app"


class SetPermission(_Command, tag="setpermission"):
    """Say what an app may do in a context and below; the nearest setting wins. Owner apps only.

    Null leaves a part as it is.
    """

    app: str
    context: list[str]
    ask: bool | None = None
    tell: bool | None = None
    resolvers: list[str] | None = None
    """Names of the resolvers that the app may use there; empty: all."""


Command = Tell | MakeModel | MakeContext | MakeComponent | MakeView | RegisterApp | SetPermission
COMMANDS: tuple[type[_Command], ...] = (
    Tell,
    MakeModel,
    MakeContext,
    MakeComponent,
    MakeView,
    RegisterApp,
    SetPermission,
)
COMMAND_VERBS = frozenset(str(kind.__struct_config__.tag) for kind in COMMANDS)
