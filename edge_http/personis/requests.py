"""From the body of a call to a command or query.

Accepted beyond what the original's own client sends:

* `context`: a list of segments, a text `a/b`, or null. Empty segments of a list are left out, as in any path.
  Where something is deleted or granted (`delcontext`, `setpermission`, `getpermission`) it must be given: null is not
  taken for the root there. The root cannot be deleted.
* `resolver`, as a dictionary, may hold `arguments`: what is said to a resolver that declares some. Other members that
  are not known are passed over, although the original gave them to its resolvers.
* `componentobj`, `contextobj` and `viewobj` may be left out and their members given at the top level. Members of them
  that are not known are kept and given back, as long as they take no more than 4 KiB.
* `subscription`: a dictionary with `statement`, or the statement alone. Its `password` is not read, its `user` is kept
  to be shown: the rule is that of the app which calls. `view` says which components, as in an ask; `componentid` may
  name one instead.
* `description` of `registerapp` may be called `desc`; `realm` is `password` when it is left out, and then an
  `apppassword` must be given. With another realm none is needed; without one an app loses the password that it had.
* `perms`: entries that are no dictionary are passed over. `value_list` and `flags` may be one text, `goals` one text
  `a/b`, a `comment` a number, `since_time` a text. The filter `since_time` without a time lets everything through.
* `permissions` holds `ask`, `tell` and `resolvers`, and may hold any other part of a permission; what is left out or
  null stays as it is. But `tell` says `make`, `delete` and `rules`, too, where they are left out: it meant all of them.
* `whose_rules` may be given beside `permissions`: a person, in whose model the app's rules are that this is about.
* `componentid` may be left out of `setresolver` (then the context's is set), `setpermission`, `getpermission` (then the
  context's are meant), and `list_subs` (then those of all components are given, by component).
* `partial_model` of `import_model`: the text that `export_model` gave, or what that text says, as JSON.
* Names of apps may be any text (see `schemas.app_names`).
* A member that is null is taken as absent. Members of the call that are not known are passed over; so are `user` and
  `password` of a call with a bearer token: the token says who calls.
* `id`, or the header `Idempotency-Key`: the command's id, so that a repeated call is applied once.
"""

import contextlib
from typing import Any, Final, Generic, NamedTuple, TypeVar, get_args

import msgspec

from bus.as_app import new_id
from edge_http.personis import calls
from edge_http.personis.calls import (
    AnyTellCall,
    AskCall,
    Call,
    ComponentMembers,
    ContextMembers,
    ContextSpelling,
    MakeComponentCall,
    MakeContextCall,
    MakeViewCall,
    PlainTellCall,
    ResolverArguments,
    ResolverSpelling,
    ViewMembers,
    ViewSpelling,
)
from model.formats.spellings import Segments, as_once_meant, from_root, goals_of, permissions_of, texts_of, told_members
from schemas.app_names import app_id
from schemas.commands import MakeComponent, MakeContext, MakeView, SetPermission, Tell
from schemas.decoding import UNDECODABLE, convert, decode
from schemas.definitions import ComponentDefinition, ViewDefinition
from schemas.errors import Code, Refusal
from schemas.evidence import EvidenceFilter, FilterName, NewEvidence
from schemas.ids import check_id
from schemas.paths import parse_path
from schemas.permissions import Permission
from schemas.queries import Ask
from schemas.reserved import check_members, unreserved

OWN_MODEL: Final = "-"
"""The model name that stands for the token's user."""

FILTER_NAMES: Final = frozenset(get_args(FilterName))

STAMPED: Final = frozenset({"objectType", "source", "owner", "creation_time"})
"""Members of the original's evidence that the server writes; what a caller says there is dropped."""

_TOLD: Final = frozenset(NewEvidence.__struct_fields__) - {"extra"}


class _Head(msgspec.Struct):
    version: Any = msgspec.UNSET
    modelname: Any = msgspec.UNSET


M = TypeVar("M", ComponentMembers, ContextMembers, ViewMembers)


class Given(NamedTuple, Generic[M]):
    """What is to be made, as a call gives it."""

    members: M
    at: str
    """Stands before the names of its fields."""
    extra: dict[str, Any]
    """Members that llum does not know."""


_WRITTEN: Final = frozenset({"objectType", "creation_time", "size"})
"""Members of what is made that the server writes; what a caller says there is dropped."""

_HEAD: Final = msgspec.json.Decoder(_Head)


def wants_envelope(body: bytes) -> bool:
    """Tell how the sender of a body that may be broken wants to be answered; in doubt, in an envelope."""
    try:
        return _HEAD.decode(body).version is not msgspec.UNSET
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return True


def is_call(body: bytes) -> bool:
    """Tell whether a body is what the original's clients send: each names a version, or a model."""
    try:
        head = _HEAD.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return head.version is not msgspec.UNSET or head.modelname is not msgspec.UNSET


def check_model(call: Call, user: str) -> None:
    """Raise `permission_denied` unless the call is about the token's own user."""
    if call.modelname not in (None, "", OWN_MODEL, user):
        raise Refusal(Code.PERMISSION_DENIED, "the token is for another model", "modelname", f"send {OWN_MODEL!r}")


def command_id(call: Call, header: str | None) -> str:
    """Give the command's id: the header's, else the body's, else a new one. Raises `bad_field`."""
    chosen, field = (header, "Idempotency-Key") if header is not None else (call.id, "id")
    if chosen is None:
        return new_id()
    return check_id(chosen, field)


def path_of(spelling: ContextSpelling, field: str = "context") -> Segments:
    """Give the segments of a path in any spelling; a leading empty segment is the root itself."""
    if spelling is None:
        return []
    if isinstance(spelling, str):
        return list(parse_path(spelling, field))
    return from_root(spelling)


def ask_of(call: AskCall) -> Ask:
    """Make the query. Evidence is always wanted: the original gives all that its filter lets through.

    The filter chooses no more than that: the original resolves the value over all evidence. It knows no periods,
    though: of a period the value is asked for, too.
    """
    if call.whose_rules is not None:
        raise Refusal(Code.BAD_FIELD, "only llum asks for rules", "whose_rules", "leave whose_rules out")
    resolver, evidence_filter = resolver_of(call.resolver)
    return Ask(
        context=path_of(call.context),
        view=view_of(call.view),
        resolver=resolver,
        resolver_arguments=arguments_of(call.resolver),
        evidence_filter=evidence_filter,
        value_over_all=evidence_filter is not None and evidence_filter.name != "held",
        held_at=call.held_at,
        include_evidence=True,
        show_contexts=bool(call.showcontexts),
    )


def tell_in(body: bytes) -> AnyTellCall:
    """Decode a tell: most in one step, and those with anything unusual in them as any other call."""
    # A member that its teller calls `extra`, be it by escapes, is one more unknown one, and none of llum's.
    if b"extra" not in body and b"\\u" not in body:
        with contextlib.suppress(*UNDECODABLE):
            return calls.PLAIN_TELL.decode(body)
    return decode(calls.TELL, body)


def tell_of(call: AnyTellCall, identifier: str) -> Tell:
    """Make the command."""
    evidence = call.evidence if isinstance(call, PlainTellCall) else evidence_of(call.evidence, "evidence")
    return Tell(
        id=identifier, context=path_of(call.context), component=call.componentid, evidence=evidence, convert=True
    )


def evidence_of(members: dict[str, Any], field: str) -> NewEvidence:
    """Sort the members of a legacy evidence: told, stamped by the server (dropped), and unknown (kept as `extra`).

    Raises `bad_field` for one that would pass for llum's own.
    """
    told = {name: member for name, member in told_members(members).items() if name in _TOLD}
    # In one order, so that a client whose members come in another one when it repeats a call repeats the command.
    if extra := {name: members[name] for name in sorted(members) if name not in _TOLD and name not in STAMPED}:
        check_members((name for name, member in extra.items() if member is not None), field)
        told["extra"] = unreserved(extra)
    return convert(told, NewEvidence, field)


def component_of(call: MakeComponentCall, body: bytes) -> "Given[ComponentMembers]":
    """Give the component's members."""
    return _given(call.componentobj, "componentobj", calls.COMPONENT_MEMBERS, body, ComponentMembers)


def make_component_of(call: MakeComponentCall, given: "Given[ComponentMembers]", identifier: str) -> MakeComponent:
    """Make the command. `value` is for the caller to have looked at: it is what evidence makes it."""
    members, at = given.members, given.at
    definition = ComponentDefinition(
        name=members.Identifier,
        description=members.Description or "",
        component_type=members.component_type or "attribute",
        value_type=members.value_type or "string",
        value_list=texts_of(members.value_list),
        resolver=members.resolver,
        goals=goals_of(members.goals),
        evidence=[evidence_of(told, f"{at}evidencelist[{n}]") for n, told in enumerate(members.evidencelist or ())],
        extra=given.extra,
    )
    context, told = path_of(call.context), bool(definition.evidence)
    return MakeComponent(id=identifier, context=context, component=definition, convert=told)


def make_context_of(call: MakeContextCall, body: bytes, identifier: str) -> MakeContext:
    """Make the command, with the permissions named in `perms`."""
    given = _given(call.contextobj, "contextobj", calls.CONTEXT_MEMBERS, body, ContextMembers)
    members = given.members
    return MakeContext(
        id=identifier,
        context=path_of(call.context),
        name=members.Identifier,
        description=members.Description or "",
        resolver=members.resolver,
        permissions={
            app_id(app, f"{given.at}perms"): what
            for app, what in permissions_of(members.perms, f"{given.at}perms").items()
        },
        extra=given.extra,
    )


def make_view_of(call: MakeViewCall, body: bytes, identifier: str) -> MakeView:
    """Make the command."""
    given = _given(call.viewobj, "viewobj", calls.VIEW_MEMBERS, body, ViewMembers)
    members = given.members
    view = ViewDefinition(
        name=members.Identifier,
        components=_items_of(members.component_list or []),
        description=members.Description or "",
        extra=given.extra,
    )
    return MakeView(id=identifier, context=path_of(call.context), view=view)


def set_permission_of(
    identifier: str,
    context: Segments,
    component: str | None,
    app: str,
    what: Permission,
    whose_rules: str | None = None,
) -> SetPermission:
    """Make the command; `app` is a name. In old calls `tell` means to make, to delete and to have rules, too."""
    said = msgspec.structs.asdict(what if whose_rules is not None else as_once_meant(what))
    return SetPermission(
        id=identifier, app=app_id(app), context=context, component=component, whose_rules=whose_rules, **said
    )


def view_of(spelling: ViewSpelling) -> str | list[str | Segments] | None:
    """Give the view, its paths without a leading empty segment."""
    return spelling if spelling is None or isinstance(spelling, str) else _items_of(spelling)


def resolver_of(spelling: ResolverSpelling) -> tuple[str | None, EvidenceFilter | None]:
    """Give the resolver's name and the filter. Raises `bad_filter`, `bad_field`."""
    if spelling is None or isinstance(spelling, str):
        return spelling, None
    name = spelling.evidence_filter
    if name is None:
        return spelling.resolver, None
    if name not in FILTER_NAMES:
        hint = f"one of {', '.join(sorted(FILTER_NAMES))}"
        raise Refusal(Code.BAD_FILTER, f"no such evidence filter: {name[:64]}", "resolver.evidence_filter", hint)
    since_time = _time_of(spelling.since_time, "since_time")
    if name == "since_time" and since_time is None:
        name = "all"
    arguments = {
        "name": name,
        "since_time": since_time,
        "recent_count": spelling.recent_count,
        "held_from": _time_of(spelling.held_from, "held_from"),
        "held_until": _time_of(spelling.held_until, "held_until"),
    }
    return spelling.resolver, convert(arguments, EvidenceFilter, "resolver")


def _time_of(spelling: float | str | None, name: str) -> float | None:
    """Read seconds since 1970, which may be text. Raises `bad_filter`."""
    if not isinstance(spelling, str):
        return spelling
    try:
        return float(spelling)
    except ValueError:
        field, message = f"resolver.{name}", "a time is seconds since 1970"
        raise Refusal(Code.BAD_FILTER, message, field, "such as 1750000000") from None


def arguments_of(spelling: ResolverSpelling) -> dict[str, Any]:
    """Give what is said to the resolver."""
    return (spelling.arguments or {}) if isinstance(spelling, ResolverArguments) else {}


def _given(
    members: dict[str, Any] | None, name: str, decoder: msgspec.json.Decoder[M], body: bytes, kind: type[M]
) -> Given[M]:
    """Read what is to be made; its members stand in one of their own, or at the top level."""
    if members is None:
        return Given(decode(decoder, body), "", {})
    known = kind.__struct_fields__
    extra = {member: value for member, value in members.items() if member not in known and member not in _WRITTEN}
    return Given(convert(members, kind, name), f"{name}.", extra)


def _items_of(items: list[str | Segments]) -> list[str | Segments]:
    return [item if isinstance(item, str) else path_of(item) for item in items]
