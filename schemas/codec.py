"""Bytes to structs and back: one decoder per union, every failure a refusal with a code and a field.

Workers give the vocabulary of their partition's level (`schemas.levels`); others read all that this llum knows.
"""

from typing import Any, Final

import msgspec

from schemas.commands import COMMAND_VERBS, Command
from schemas.decoding import UNDECODABLE, UNKNOWN_MEMBER, undecodable
from schemas.errors import Code, Refusal
from schemas.evidence import EncodedEvidence
from schemas.ids import check_id, is_id
from schemas.levels import Vocabulary
from schemas.limits import MAX_COMMAND_BYTES, MAX_RESTATED_BYTES, PROTOCOL_VERSION
from schemas.names import holds_names_to_normalise, normalise
from schemas.parts import Restate
from schemas.queries import QUERY_VERBS, Query
from schemas.replies import Outcome, Reply
from schemas.verbs import verb_of

_RESTATE: Final = verb_of(Restate)

_command_decoder: Final = msgspec.json.Decoder(Command)
_query_decoder: Final = msgspec.json.Decoder(Query)
_outcome_decoder: Final = msgspec.json.Decoder(Outcome)
_reply_decoder: Final = msgspec.json.Decoder(Reply)


def _encoded(part: object) -> msgspec.Raw:
    if isinstance(part, EncodedEvidence):
        return part.encoded
    raise TypeError(f"a {type(part).__name__} is no JSON")


_encoder: Final = msgspec.json.Encoder(enc_hook=_encoded)


class _Head(msgspec.Struct):
    """What can be told of a message that does not decode: enough to say what is wrong, and to whom."""

    verb: Any = None
    id: Any = None
    v: Any = PROTOCOL_VERSION


_head_decoder: Final = msgspec.json.Decoder(_Head)


def encode(message: Any) -> bytes:
    """Encode a struct. Lone surrogates in a text raise `malformed`, values that JSON lacks `bad_field`."""
    try:
        return _encoder.encode(message)
    except UnicodeEncodeError as error:
        raise Refusal(Code.MALFORMED, "a text contains a lone surrogate") from error
    except RecursionError as error:
        raise Refusal(Code.TOO_DEEP, "the message is nested too deeply") from error
    except (TypeError, ValueError) as error:
        raise Refusal(Code.BAD_FIELD, str(error)) from error


def decode_command(data: bytes, verb: str, known: Vocabulary | None = None) -> Command:
    """Decode a command that came on a subject ending in `verb`, or raise a `Refusal`."""
    if len(data) > MAX_COMMAND_BYTES and (verb != _RESTATE or len(data) > MAX_RESTATED_BYTES):
        raise Refusal(Code.TOO_LARGE, f"the command has {len(data)} bytes, at most {MAX_COMMAND_BYTES}")
    command: Command = _decode(_command_decoder, data, verb, COMMAND_VERBS, known)
    check_id(command.id)
    if holds_names_to_normalise(data):
        normalise(command)
    return command


def decode_query(data: bytes, verb: str, known: Vocabulary | None = None) -> Query:
    """Decode a query that came on a subject ending in `verb`, or raise a `Refusal`."""
    query: Query = _decode(_query_decoder, data, verb, QUERY_VERBS, known)
    if holds_names_to_normalise(data):
        normalise(query)
    return query


def decode_outcome(data: bytes) -> Outcome:
    """Decode what llum itself has sent."""
    outcome: Outcome = _outcome_decoder.decode(data)
    return outcome


def decode_reply(data: bytes) -> Reply:
    """Decode what llum itself has sent."""
    reply: Reply = _reply_decoder.decode(data)
    return reply


def command_id(data: bytes) -> str | None:
    """Give the id of a command that was refused for something else, if it has a usable one."""
    head = _head(data)
    return head.id if head and isinstance(head.id, str) and is_id(head.id) else None


def _decode(decoder: Any, data: bytes, verb: str, verbs: frozenset[str], known: Vocabulary | None) -> Any:
    try:
        if known is not None and known.earlier is not None:
            # What an earlier llum refuses is refused here with the same words.
            known.earlier.decode(data)
        message = decoder.decode(data)
        if known is not None and (strict := known.strict(message.__struct_config__.tag)) is not None:
            strict.decode(data)
    except UNDECODABLE as error:
        refusal = _refusal(data, verb, verbs if known is None else known.verbs, error)
        raise (refusal if known is None else _at_level(refusal, known.level)) from error
    if message.v != PROTOCOL_VERSION:
        raise _unsupported(message.v)
    if message.__struct_config__.tag != verb:
        told = f"the subject says {verb}, but the message says {verb_of(message)}"
        raise Refusal(Code.UNKNOWN_VERB, told, "verb")
    return message


def _refusal(data: bytes, verb: str, verbs: frozenset[str], error: Exception) -> Refusal:
    if isinstance(error, RecursionError):
        return undecodable(error)
    if verb not in verbs:
        return Refusal(Code.UNKNOWN_VERB, f"no such verb: {verb[:64]}", "verb", f"one of {', '.join(sorted(verbs))}")
    head = _head(data)
    if head is not None and head.v != PROTOCOL_VERSION:
        return _unsupported(head.v)
    return undecodable(error)


def _at_level(refusal: Refusal, level: int) -> Refusal:
    """Say of a verb or a member that is unknown at which level it is so: a later llum may know it."""
    what = refusal.error
    if what.code is Code.UNKNOWN_VERB or (what.code is Code.BAD_FIELD and UNKNOWN_MEMBER in what.message):
        later = f"this is level {level}; an operator raises it with `llum admin upgrade`, if a later llum knows that"
        hint = f"{what.hint}; {later}" if what.hint else later
        return Refusal(what.code, what.message, what.field, hint)
    return refusal


def _unsupported(version: Any) -> Refusal:
    return Refusal(
        Code.UNSUPPORTED_VERSION, f"version {str(version)[:32]} is not known here", "v", f"send {PROTOCOL_VERSION}"
    )


def _head(data: bytes) -> _Head | None:
    try:
        return _head_decoder.decode(data)
    except UNDECODABLE:
        return None
