"""Names that members of evidence which an app has thought up may not have: llum's own members have them.

Shown beside llum's own, as the original's format shows them, they would pass for what llum itself says of the evidence.
The edges refuse them. What a program has put straight into the log stays in `extra`, and is never shown anywhere else.
"""

from collections.abc import Iterable
from typing import Any, Final

from schemas.commands import OF_A_STAGE, Command, MakeComponent, Tell
from schemas.errors import Code, Refusal
from schemas.evidence import Evidence, NewEvidence
from schemas.verbs import verb_of

RESERVED_MEMBERS: Final = frozenset(Evidence.__struct_fields__) - {"extra", "n"} | {"objectType"}
"""The members that llum gives evidence, and the original's `objectType`. `n` alone says nothing, and sensors count."""

HINT: Final = "llum itself uses that name: call it something else"


def check_told(command: Command) -> None:
    """Raise `bad_field` if a command tells evidence with a member of a reserved name, `permission_denied` if it is one
    that only llum's own workers send.
    """
    if type(command) is Tell:
        if command.evidence.extra:
            check_members(command.evidence.extra, "evidence.extra")
    elif type(command) is MakeComponent and command.component.evidence:
        _check_first(command.component.evidence)
    elif type(command) in OF_A_STAGE:
        raise Refusal(Code.PERMISSION_DENIED, f"only llum itself sends {verb_of(command)}")


def check_members(names: Iterable[str], field: str) -> None:
    """Raise `bad_field` for the first name that is reserved."""
    for name in names:
        if name in RESERVED_MEMBERS:
            raise Refusal(Code.BAD_FIELD, f"a member of evidence cannot be called {name!r}", f"{field}.{name}", HINT)


def unreserved(extra: dict[str, Any]) -> dict[str, Any]:
    """Leave out the members that would pass for llum's own."""
    return {name: member for name, member in extra.items() if name not in RESERVED_MEMBERS}


def _check_first(evidence: list[NewEvidence]) -> None:
    for index, new in enumerate(evidence):
        check_members(new.extra, f"component.evidence[{index}].extra")
