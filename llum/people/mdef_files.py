"""Model definition files: read with what they include."""

import re
from pathlib import Path
from typing import Final

from llum.failures import Fault
from model.formats.mdef import parse_mdef
from schemas.definitions import ModelDefinition

MAX_INCLUDED_FILES: Final = 100
"""Files that one definition may include: a bound against circles."""

MAX_FILE_BYTES: Final = 4 * 1024 * 1024
"""Bytes of one file: a definition larger than that is none."""

_INCLUDE = re.compile(r"^[ \t]*\$include\b([^#\n]*)", re.MULTILINE)


def read_definition(path: Path) -> ModelDefinition:
    """Read a definition. Raises a `Refusal` that names line and column, a `Fault` for a file that cannot be read."""
    text = _read(path)
    includes: dict[str, str] = {}
    waiting = _included(text)
    while waiting and len(includes) < MAX_INCLUDED_FILES:
        name = waiting.pop()
        # A file that is not there is left to the parser, which knows the line that names it.
        if name not in includes and (path.parent / name).is_file():
            includes[name] = _read(path.parent / name)
            waiting += _included(includes[name])
    return parse_mdef(text, includes)


def _included(text: str) -> list[str]:
    return [name.strip().strip('"') for name in _INCLUDE.findall(text)]


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise Fault(f"{path} is too large for a model definition: at most {MAX_FILE_BYTES} bytes")
        return content.decode("utf-8")
    except OSError as error:
        raise Fault(f"cannot read {path}: {error.strerror or error}") from error
    except (UnicodeDecodeError, ValueError) as error:
        raise Fault(f"cannot read {path}: it is not UTF-8 text") from error
