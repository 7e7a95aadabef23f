"""The one place where configuration is read: options, then environment, then `llum.toml`, then defaults."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from llum.settings import SETTINGS, Setting, Settings, hide_password, option, variable
from llum.settings_file import read_file
from schemas.errors import Code, Refusal
from schemas.time_zones import UTC

Origin = Literal["option", "environment", "file", "default"]


class Sourced(NamedTuple):
    """A value and where it came from."""

    value: Any
    origin: Origin
    place: str
    """The option, variable or file, as a person would look for it."""


def load(options: Mapping[str, Any] | None = None, config: Path | None = None) -> Settings:
    """Read the settings, or raise a `bad_field` that names the setting, where it came from and what is expected."""
    return Settings(**{name: sourced.value for name, sourced in load_with_origins(options, config).items()})


def load_with_origins(options: Mapping[str, Any] | None = None, config: Path | None = None) -> dict[str, Sourced]:
    """Read the settings and say of each where it came from."""
    given = {name: value for name, value in (options or {}).items() if value is not None}
    path, file = read_file(config, SETTINGS)
    found = {name: _pick(setting, given, file, path) for name, setting in SETTINGS.items()}
    _check_time_zone(found["time_zone"])
    return found


def _pick(setting: Setting, options: Mapping[str, Any], file: Mapping[str, Any], path: Path | None) -> Sourced:
    name = setting.name
    if name in options:
        return _converted(setting, options[name], "option", option(name))
    if text := os.environ.get(variable(name)):
        return _converted(setting, text, "environment", variable(name))
    if name in file:
        return _converted(setting, file[name], "file", f"{name} in {path}")
    return Sourced(setting.default, "default", "")


def _converted(setting: Setting, raw: Any, origin: Origin, place: str) -> Sourced:
    try:
        value = msgspec.convert(raw, setting.type, strict=origin == "file", dec_hook=_to_path)
    except (msgspec.ValidationError, ValueError) as error:
        shown = hide_password(str(raw))[:80]
        message = f"{place} is {shown!r}, expected {setting.expected}"
        raise Refusal(Code.BAD_FIELD, message, setting.name) from error
    return Sourced(value, origin, place)


def _check_time_zone(zone: Sourced) -> None:
    """Refuse a zone that is not there. Where none is set nothing is looked up: that would cost every command time.

    `llum up` tells its children the default, too.
    """
    if zone.value == UTC:
        return
    from bus.time_zones import zone_named

    try:
        zone_named(zone.value)
    except Refusal as refusal:
        raise Refusal(Code.BAD_FIELD, f"{zone.place}: {refusal.message}", "time_zone", refusal.hint) from refusal


def _to_path(kind: type, raw: Any) -> Any:
    if kind is not Path or not isinstance(raw, str | Path) or not str(raw) or "\0" in str(raw):
        raise ValueError("not a path")
    return Path(raw).expanduser()
