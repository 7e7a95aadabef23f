"""What the bodies of the calls may hold, one struct per shape. What is accepted beyond that is in `requests`."""

from typing import Any, Final

import msgspec

from model.formats.spellings import GoalsSpelling, Segments, TextsSpelling
from schemas.evidence import ComponentType, NewEvidence, ValueType
from schemas.permissions import Permission

ContextSpelling = str | Segments | None
ViewSpelling = str | list[str | Segments] | None
PathSpelling = str | Segments


class DeviceLogin(msgspec.Struct):
    """How a simple device says who it is. Anything else than text is no name and no password."""

    modelname: Any = None
    user: Any = None
    password: Any = None


class Call(msgspec.Struct, kw_only=True):
    """What every call may hold."""

    version: Any = msgspec.UNSET
    """The value does not matter: a call with it is answered in an envelope, one without it by the bare value."""
    modelname: str | None = None
    id: str | None = None
    context: ContextSpelling = None


class ResolverArguments(msgspec.Struct, kw_only=True):
    resolver: str | None = None
    evidence_filter: str | None = None
    since_time: float | str | None = None
    recent_count: int | None = None
    held_from: float | str | None = None
    held_until: float | str | None = None
    arguments: dict[str, Any] | None = None


ResolverSpelling = str | ResolverArguments | None


class AskCall(Call, kw_only=True):
    view: ViewSpelling = None
    resolver: ResolverSpelling = None
    showcontexts: Any = None
    held_at: float | None = None
    whose_rules: Any = None
    """Nobody may say this: llum alone asks for rules."""


class TellCall(Call, kw_only=True):
    componentid: str
    evidence: dict[str, Any]


class PlainTellCall(Call, kw_only=True):
    """A tell whose evidence has only such members as llum itself knows, as most have: read in one step."""

    componentid: str
    evidence: NewEvidence


AnyTellCall = TellCall | PlainTellCall


class ComponentMembers(msgspec.Struct, kw_only=True):
    Identifier: str
    Description: str | None = None
    component_type: ComponentType | None = None
    value_type: ValueType | None = None
    value_list: TextsSpelling = None
    value: Any = None
    resolver: str | None = None
    goals: GoalsSpelling = None
    evidencelist: list[dict[str, Any]] | None = None


class ContextMembers(msgspec.Struct, kw_only=True):
    Identifier: str
    Description: str | None = None
    perms: Any = None
    resolver: str | None = None


class ViewMembers(msgspec.Struct, kw_only=True):
    Identifier: str
    Description: str | None = None
    component_list: list[str | Segments] | None = None


class MakeComponentCall(Call, kw_only=True):
    componentobj: dict[str, Any] | None = None


class MakeContextCall(Call, kw_only=True):
    contextobj: dict[str, Any] | None = None


class MakeViewCall(Call, kw_only=True):
    viewobj: dict[str, Any] | None = None


class ComponentCall(Call, kw_only=True):
    componentid: str


class WithdrawCall(ComponentCall, kw_only=True):
    seq: int
    n: int = 0
    comment: str | None = None


class ConsequencesCall(Call, kw_only=True):
    componentid: str | None = None
    seq: int | None = None
    n: int = 0


class FollowsCall(ComponentCall, kw_only=True):
    seq: int
    n: int = 0


class PartCall(Call, kw_only=True):
    componentid: str | None = None
    seq: int | None = None
    n: int | None = None
    source: str | None = None
    accepted_from: float | None = None
    accepted_until: float | None = None
    held_from: float | None = None
    held_until: float | None = None


class DeleteContextCall(Call, kw_only=True):
    context: PathSpelling


class GetContextCall(Call, kw_only=True):
    getsize: Any = None


class DeleteViewCall(Call, kw_only=True):
    viewid: str


class SetResolverCall(Call, kw_only=True):
    componentid: str | None = None
    resolver: str | None = None


class SetGoalsCall(Call, kw_only=True):
    componentid: str
    goals: str | list[Segments]


class SetTimeZoneCall(Call, kw_only=True):
    time_zone: str | None


class SubscriptionMembers(msgspec.Struct, kw_only=True):
    """`password` is not read, and `user` only shown: the rule is that of the app which calls."""

    statement: str
    user: Any = None


class SubscribeCall(Call, kw_only=True):
    view: ViewSpelling = None
    componentid: str | None = None
    subscription: str | SubscriptionMembers


class DeleteSubscriptionCall(Call, kw_only=True):
    componentid: str
    subname: str


class ListSubscriptionsCall(Call, kw_only=True):
    componentid: str | None = None


class AppCall(Call, kw_only=True):
    app: str


class RegisterAppCall(AppCall, kw_only=True):
    description: str | None = None
    desc: str | None = None
    apppassword: str | None = None
    realm: str | None = None


class SetPermissionCall(AppCall, kw_only=True):
    context: PathSpelling
    componentid: str | None = None
    whose_rules: str | None = None
    permissions: Permission = msgspec.field(default_factory=Permission)


class GetPermissionCall(AppCall, kw_only=True):
    context: PathSpelling
    componentid: str | None = None
    whose_rules: str | None = None


class AskedCall(Call, kw_only=True):
    app: str | None = None
    componentid: str | None = None
    since: float | None = None
    until: float | None = None


class ExportCall(Call, kw_only=True):
    resolver: ResolverSpelling = None


class ImportCall(Call, kw_only=True):
    partial_model: msgspec.Raw = msgspec.Raw(b"null")


CALL: Final = msgspec.json.Decoder(Call)
ASK: Final = msgspec.json.Decoder(AskCall)
TELL: Final = msgspec.json.Decoder(TellCall)
PLAIN_TELL: Final = msgspec.json.Decoder(PlainTellCall)
MAKE_COMPONENT: Final = msgspec.json.Decoder(MakeComponentCall)
MAKE_CONTEXT: Final = msgspec.json.Decoder(MakeContextCall)
MAKE_VIEW: Final = msgspec.json.Decoder(MakeViewCall)
COMPONENT: Final = msgspec.json.Decoder(ComponentCall)
WITHDRAW: Final = msgspec.json.Decoder(WithdrawCall)
FOLLOWS: Final = msgspec.json.Decoder(FollowsCall)
PART: Final = msgspec.json.Decoder(PartCall)
CONSEQUENCES: Final = msgspec.json.Decoder(ConsequencesCall)
DELETE_CONTEXT: Final = msgspec.json.Decoder(DeleteContextCall)
GET_CONTEXT: Final = msgspec.json.Decoder(GetContextCall)
DELETE_VIEW: Final = msgspec.json.Decoder(DeleteViewCall)
SET_RESOLVER: Final = msgspec.json.Decoder(SetResolverCall)
SET_GOALS: Final = msgspec.json.Decoder(SetGoalsCall)
SET_TIME_ZONE: Final = msgspec.json.Decoder(SetTimeZoneCall)
SUBSCRIBE: Final = msgspec.json.Decoder(SubscribeCall)
DELETE_SUBSCRIPTION: Final = msgspec.json.Decoder(DeleteSubscriptionCall)
LIST_SUBSCRIPTIONS: Final = msgspec.json.Decoder(ListSubscriptionsCall)
APP: Final = msgspec.json.Decoder(AppCall)
REGISTER_APP: Final = msgspec.json.Decoder(RegisterAppCall)
SET_PERMISSION: Final = msgspec.json.Decoder(SetPermissionCall)
GET_PERMISSION: Final = msgspec.json.Decoder(GetPermissionCall)
ASKED: Final = msgspec.json.Decoder(AskedCall)
EXPORT: Final = msgspec.json.Decoder(ExportCall)
IMPORT: Final = msgspec.json.Decoder(ImportCall)
COMPONENT_MEMBERS: Final = msgspec.json.Decoder(ComponentMembers)
CONTEXT_MEMBERS: Final = msgspec.json.Decoder(ContextMembers)
VIEW_MEMBERS: Final = msgspec.json.Decoder(ViewMembers)
DEVICE_LOGIN: Final = msgspec.json.Decoder(DeviceLogin)
