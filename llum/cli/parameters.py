"""Values, times and filters as they are typed."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from schemas.evidence import EVIDENCE_TYPES, EvidenceFilter

if TYPE_CHECKING:
    from model.formats.foreign import Acceptable

_PLAIN_FILTERS: Final = ("all", "last1", "last10", "goal")
_FILTERS: Final = ", ".join([*_PLAIN_FILTERS, "since_time=TIME", "recent_count=NUMBER"])


_MAX_DIGITS: Final = 19
"""Digits of the largest sequence."""

_PARSERS: Final = ("relative-time", "absolute-time", "custom-formats")
"""How words are read. Others would take a number such as `7` for a day of this month."""


def parse_json(text: str) -> Any:
    """Read a value given on the command line. Text that is not JSON is a mistake of use, told with the quoted form."""
    try:
        return msgspec.json.decode(text)
    except RecursionError as error:
        raise click.UsageError("the value is nested too deeply") from error
    except (msgspec.DecodeError, ValueError) as error:
        quoted = msgspec.json.encode(text.encode("utf-8", "replace").decode()).decode()
        raise click.UsageError(f"the value {text[:80]} is not JSON: text goes in quotes, as '{quoted[:80]}'") from error


class Moment(click.ParamType[float]):
    """A time: seconds since 1970, ISO 8601 (without a zone: this machine's), or words such as `5 minutes ago`."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        try:
            return float(value)
        except ValueError:
            return self._from_iso(value, param, ctx)

    def _from_iso(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return datetime.fromisoformat(text).timestamp()
        except (ValueError, OverflowError):
            return self._from_words(text, param, ctx)

    def _from_words(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> float:
        # It takes long to import, and few write times so.
        import dateparser

        settings = {"RETURN_AS_TIMEZONE_AWARE": True, "REQUIRE_PARTS": [], "PARSERS": list(_PARSERS)}
        found: datetime | None = dateparser.parse(text, languages=["en"], settings=settings)
        if found is None:
            forms = 'seconds since 1970, a form such as 2031-05-04T10:00:00Z, or words such as "5 minutes ago"'
            return self.fail(f"{text!r} is no time; give {forms}", param, ctx)
        return found.timestamp()


class Types(click.ParamType[list[str]]):
    """Types of evidence with commas between them; an empty text is all of them."""

    name = "TYPES"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        if isinstance(value, list):
            return value
        named = [part for part in map(str.strip, str(value).split(",")) if part]
        for one in named:
            if one not in EVIDENCE_TYPES:
                return self.fail(f"{one[:40]!r} is none of {', '.join(EVIDENCE_TYPES)}", param, ctx)
        return named


class Span(click.ParamType[float]):
    """A span of time: seconds, or a number with a unit, as `90s`, `5m`, `12h`, `30d`, `2w`."""

    name = "SPAN"

    UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        unit = self.UNITS.get(str(value)[-1:].lower())
        try:
            return float(value) if unit is None else float(str(value)[:-1]) * unit
        except ValueError:
            return self.fail(f"{value!r} is no span of time; give seconds, or 5m, 12h, 30d", param, ctx)


class PieceName(click.ParamType[tuple[int, int]]):
    """The name of a piece of evidence in its component: `17`, or `17.2` if several came with one command."""

    name = "SEQ[.N]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        seq, dot, n = str(value).partition(".")
        if not _is_number(seq) or (dot and not _is_number(n)):
            hint = "give the seq that `--evidence` shows, such as 17 or 17.2"
            return self.fail(f"{value!r} names no piece of evidence; {hint}", param, ctx)
        return int(seq), int(n or 0)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS


class Filter(click.ParamType[EvidenceFilter]):
    """`all`, `last1`, `last10`, `goal`, `since_time=<time>`, `recent_count=<number>`."""

    name = "FILTER"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> EvidenceFilter:
        name, _, argument = str(value).partition("=")
        if name == "since_time" and argument:
            return EvidenceFilter(name="since_time", since_time=Moment().convert(argument, param, ctx))
        if name == "recent_count" and argument.isdecimal():
            return EvidenceFilter(name="recent_count", recent_count=int(argument))
        if value in _PLAIN_FILTERS:
            return EvidenceFilter(name=value)
        return self.fail(f"{value!r} is no filter; one of {_FILTERS}", param, ctx)


ACCEPT_HELP: Final = "Take these as they are in the file, with commas between: corrections, roles."


class Accepting(click.ParamType["frozenset[Acceptable]"]):
    """`corrections`, `roles`, or both with a comma between."""

    name = "KINDS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "frozenset[Acceptable]":
        from model.formats.foreign import ACCEPTABLE

        if isinstance(value, frozenset):
            return value
        named = frozenset(name.strip() for name in str(value).split(",") if name.strip())
        for name in named - {*ACCEPTABLE}:
            self.fail(f"{name!r} cannot be accepted; only {', '.join(ACCEPTABLE)}", param, ctx)
        return frozenset(one for one in ACCEPTABLE if one in named)
