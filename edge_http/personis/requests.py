"""From the body of a call to a command or query.

Accepted beyond what the original's own client sends:

* `context`: a list of segments, a text `a/b`, or null; a leading empty segment stands for the root, as in any path.
* `componentobj`, `contextobj` and `viewobj` may be left out and their members given at the top level.
* A member that is null is taken as absent. Members of the call that are not known are passed over
  (`user` and `password` of the original among them: the bearer token says who calls).
* `id`, or the header `Idempotency-Key`: the command's id, so that a repeated call is applied once.
"""

import re
import uuid
from typing import Any, Final, TypeVar, get_args

import msgspec

from edge_http.body import convert, decode
from schemas.commands import MakeComponent, MakeContext, MakeView, SetPermission, Tell
from schemas.definitions import ComponentDefinition, ViewDefinition
from schemas.errors import Code, Refusal
from schemas.evidence import ComponentType, EvidenceFilter, FilterName, NewEvidence, ValueType
from schemas.limits import MAX_ID_CHARACTERS
from schemas.paths import parse_path
from schemas.queries import Ask

OWN_MODEL: Final = "-"
"""The model name that stands for the token's user."""

FILTER_NAMES: Final = frozenset(get_args(FilterName))

_STAMPED: Final = frozenset({"objectType", "source", "owner", "creation_time"})
"""Members of the original's evidence that the server writes; what a caller says there is dropped."""

_TOLD: Final = frozenset(NewEvidence.__struct_fields__) - {"extra"}

_ID = re.compile(rf"[!-~]{{1,{MAX_ID_CHARACTERS}}}")

Segments = list[str]
ContextSpelling = str | Segments | None
ViewSpelling = str | list[str | Segments] | None


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
    since_time: float | None = None
    recent_count: int | None = None


class AskCall(Call, kw_only=True):
    view: ViewSpelling = None
    resolver: str | ResolverArguments | None = None
    showcontexts: Any = None


class TellCall(Call, kw_only=True):
    componentid: str
    evidence: dict[str, Any]


class ComponentMembers(msgspec.Struct, kw_only=True):
    Identifier: str
    Description: str | None = None
    component_type: ComponentType | None = None
    value_type: ValueType | None = None
    value_list: list[str] | None = None
    value: Any = None
    resolver: str | None = None
    goals: list[Segments] | None = None
    evidencelist: list[dict[str, Any]] | None = None


class MakeComponentCall(Call, kw_only=True):
    componentobj: ComponentMembers | None = None


class AppPermission(msgspec.Struct, kw_only=True):
    ask: bool | None = None
    tell: bool | None = None
    resolvers: list[str] | None = None


class ContextMembers(msgspec.Struct, kw_only=True):
    Identifier: str
    Description: str | None = None
    perms: dict[str, AppPermission] | None = None
    resolver: str | None = None


class MakeContextCall(Call, kw_only=True):
    contextobj: ContextMembers | None = None


class ViewMembers(msgspec.Struct, kw_only=True):
    Identifier: str
    component_list: list[str | Segments]


class MakeViewCall(Call, kw_only=True):
    viewobj: ViewMembers | None = None


class _Head(msgspec.Struct):
    version: Any = msgspec.UNSET


M = TypeVar("M", ComponentMembers, ContextMembers, ViewMembers)

CALL: Final = msgspec.json.Decoder(Call)
ASK: Final = msgspec.json.Decoder(AskCall)
TELL: Final = msgspec.json.Decoder(TellCall)
MAKE_COMPONENT: Final = msgspec.json.Decoder(MakeComponentCall)
MAKE_CONTEXT: Final = msgspec.json.Decoder(MakeContextCall)
MAKE_VIEW: Final = msgspec.json.Decoder(MakeViewCall)
_COMPONENT: Final = msgspec.json.Decoder(ComponentMembers)
_CONTEXT: Final = msgspec.json.Decoder(ContextMembers)
_VIEW: Final = msgspec.json.Decoder(ViewMembers)
_HEAD: Final = msgspec.json.Decoder(_Head)


def wants_envelope(body: bytes) -> bool:
    """Tell how the sender of a body that may be broken wants to be answered; in doubt, in an envelope."""
    try:
        return _HEAD.decode(body).version is not msgspec.UNSET
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return True


def check_model(call: Call, user: str) -> None:
    """Raise `permission_denied` unless the call is about the token's own user."""
    if call.modelname not in (None, "", OWN_MODEL, user):
        raise Refusal(Code.PERMISSION_DENIED, "the token is for another model", "modelname", f"send {OWN_MODEL!r}")


def command_id(call: Call, header: str | None) -> str:
    """Give the command's id: the header's, else the body's, else a new one. Raises `bad_field`."""
    chosen, field = (header, "Idempotency-Key") if header is not None else (call.id, "id")
    if chosen is None:
        return uuid.uuid4().hex
    if not _ID.fullmatch(chosen):
        message = f"an id is 1 to {MAX_ID_CHARACTERS} printable ASCII characters without spaces"
        raise Refusal(Code.BAD_FIELD, message, field)
    return chosen


def path_of(spelling: ContextSpelling, field: str = "context") -> Segments:
    """Give the segments of a path in any spelling; a leading empty segment is the root itself."""
    if spelling is None:
        return []
    if isinstance(spelling, str):
        return list(parse_path(spelling, field))
    return spelling[1:] if spelling and not spelling[0] else spelling


def ask_of(call: AskCall, min_seq: int | None) -> Ask:
    """Make the query. Evidence is always wanted: the original gives all that its filter lets through."""
    resolver, evidence_filter = _resolver_of(call.resolver)
    return Ask(
        context=path_of(call.context),
        view=call.view if call.view is None or isinstance(call.view, str) else _view_of(call.view),
        resolver=resolver,
        evidence_filter=evidence_filter,
        include_evidence=True,
        show_contexts=bool(call.showcontexts),
        min_seq=min_seq,
    )


def tell_of(call: TellCall, identifier: str) -> Tell:
    """Make the command."""
    evidence = evidence_of(call.evidence, "evidence")
    return Tell(id=identifier, context=path_of(call.context), component=call.componentid, evidence=evidence)


def evidence_of(members: dict[str, Any], field: str) -> NewEvidence:
    """Sort the members of a legacy evidence: told, stamped by the server (dropped), and unknown (kept as `extra`)."""
    told = {name: member for name, member in members.items() if name in _TOLD and member is not None}
    if extra := {name: member for name, member in members.items() if name not in _TOLD and name not in _STAMPED}:
        told["extra"] = extra
    return convert(told, NewEvidence, field)


def component_of(call: MakeComponentCall, body: bytes) -> tuple[ComponentMembers, str]:
    """Give the component's members and the prefix of their field names."""
    return _members(call.componentobj, "componentobj", _COMPONENT, body)


def make_component_of(call: MakeComponentCall, members: ComponentMembers, at: str, identifier: str) -> MakeComponent:
    """Make the command. `value` is for the caller to have looked at: it is what evidence makes it."""
    definition = ComponentDefinition(
        name=members.Identifier,
        description=members.Description or "",
        component_type=members.component_type or "attribute",
        value_type=members.value_type or "string",
        value_list=members.value_list or [],
        resolver=members.resolver,
        goals=[path_of(goal) for goal in members.goals or ()],
        evidence=[evidence_of(told, f"{at}evidencelist[{n}]") for n, told in enumerate(members.evidencelist or ())],
    )
    return MakeComponent(id=identifier, context=path_of(call.context), component=definition)


def make_context_of(call: MakeContextCall, body: bytes, identifier: str) -> tuple[MakeContext, list[SetPermission]]:
    """Make the command, and those that set the permissions named in `perms`, to be sent after it."""
    members, _ = _members(call.contextobj, "contextobj", _CONTEXT, body)
    context = path_of(call.context)
    command = MakeContext(
        id=identifier,
        context=context,
        name=members.Identifier,
        description=members.Description or "",
        resolver=members.resolver,
    )
    path = [*context, members.Identifier]
    return command, [_permission(identifier, path, app, what) for app, what in (members.perms or {}).items()]


def make_view_of(call: MakeViewCall, body: bytes, identifier: str) -> MakeView:
    """Make the command. A view's description is not kept."""
    members, _ = _members(call.viewobj, "viewobj", _VIEW, body)
    view = ViewDefinition(name=members.Identifier, components=_view_of(members.component_list))
    return MakeView(id=identifier, context=path_of(call.context), view=view)


def _permission(identifier: str, path: Segments, app: str, what: AppPermission) -> SetPermission:
    own_id = uuid.uuid5(uuid.NAMESPACE_OID, f"{identifier} {app}").hex
    return SetPermission(id=own_id, app=app, context=path, ask=what.ask, tell=what.tell, resolvers=what.resolvers)


def _members(given: M | None, name: str, decoder: msgspec.json.Decoder[M], body: bytes) -> tuple[M, str]:
    return (given, f"{name}.") if given is not None else (decode(decoder, body), "")


def _view_of(items: list[str | Segments]) -> list[str | Segments]:
    return [item if isinstance(item, str) else path_of(item) for item in items]


def _resolver_of(spelling: str | ResolverArguments | None) -> tuple[str | None, EvidenceFilter | None]:
    if spelling is None or isinstance(spelling, str):
        return spelling, None
    name = spelling.evidence_filter
    if name is None:
        return spelling.resolver, None
    if name not in FILTER_NAMES:
        hint = f"one of {', '.join(sorted(FILTER_NAMES))}"
        raise Refusal(Code.BAD_FILTER, f"no such evidence filter: {name[:64]}", "resolver.evidence_filter", hint)
    arguments = {"name": name, "since_time": spelling.since_time, "recent_count": spelling.recent_count}
    return spelling.resolver, convert(arguments, EvidenceFilter, "resolver")
