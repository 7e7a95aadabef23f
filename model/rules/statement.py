"""A rule as plain values: what `model.rules.grammar` reads and `model.rules.decide` decides.

Apart from the grammar, so that only a process that reads a rule imports a parser.
"""

from typing import Final, Literal

import msgspec

from schemas.errors import Code, Refusal
from schemas.evidence import EvidenceType
from schemas.limits import MAX_TEXT_CHARACTERS
from schemas.paths import Path, check_path, is_token

MAX_RULE_CHARACTERS: Final = MAX_TEXT_CHARACTERS
"""Characters of a rule: it is a text for people, too."""

MAX_NESTING: Final = 8
"""References inside one another: each costs a round of asking."""

MAX_REFERENCES: Final = 64
"""References in one rule, to bound what one firing may ask."""


class Text(msgspec.Struct, frozen=True, tag=True):
    """A quoted string."""

    text: str


class PathText(msgspec.Struct, frozen=True, tag=True):
    """A path: text with `/` between names and `~1`, `~0` escapes in them, and references whose values are names."""

    parts: tuple["str | Reference", ...]


class Reference(msgspec.Struct, frozen=True, tag=True):
    """The resolved value of a component."""

    place: PathText
    resolver: str | None = None


RuleTerm = Text | PathText | Reference


class TellAction(msgspec.Struct, frozen=True, tag=True):
    """Tell a value to a component."""

    target: RuleTerm
    evidence_type: EvidenceType
    value: RuleTerm
    only_changed: bool = False
    """Only if the value differs from the target's."""


class NotifyAction(msgspec.Struct, frozen=True, tag=True):
    """Call a URL."""

    items: tuple[RuleTerm, ...]
    method: Literal["GET", "POST"] = "GET"


class Rule(msgspec.Struct, frozen=True):
    """A statement that has been read: what is compared, and what happens if it matches."""

    left: RuleTerm
    right: RuleTerm
    """A regular expression, matched at the start of the left."""
    action: TellAction | NotifyAction
    cron: str | None = None
    """When it fires; None: on every tell to its component."""


class RuleSyntaxError(Exception):
    """What is wrong with a rule and where in it, both counted from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


def split_place(text: str) -> tuple[str, Path]:
    """Split `model/context/component` into the model (`.`: this one) and the path. Raises a `Refusal`."""
    model, *segments = text.split("/")
    path = check_path([segment.replace("~1", "/").replace("~0", "~") for segment in segments], "path")
    if model in (".", ""):
        model = "."
    elif not is_token(model):
        raise Refusal(Code.BAD_PATH, f"{model[:80]!r} is no model: for the rule's own model write ./{model[:80]}/…")
    if not path:
        raise Refusal(Code.BAD_PATH, "expected model/context/component, with . for the rule's own model")
    return model, path


def literal_text(item: RuleTerm) -> str | None:
    """Give the text of an item that has no reference; None if it has."""
    if isinstance(item, Text):
        return item.text
    if isinstance(item, PathText) and all(isinstance(part, str) for part in item.parts):
        return "".join(map(str, item.parts))
    return None
