"""The file with settings: `llum.toml`, or the one that is named."""

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from schemas.errors import Code, Refusal

CONFIG_VARIABLE: Final = "LLUM_CONFIG"
CONFIG_FILE: Final = "llum.toml"


def read_file(config: Path | None, known: Collection[str]) -> tuple[Path | None, dict[str, Any]]:
    """Read the file that is named, or else `llum.toml` if there is one. Raises `bad_field`."""
    named = config or (Path(os.environ[CONFIG_VARIABLE]) if os.environ.get(CONFIG_VARIABLE) else None)
    path = named or Path(CONFIG_FILE)
    if named is None and not path.exists():
        return None, {}
    # Here: most processes have no such file to read.
    import tomllib

    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise Refusal(Code.BAD_FIELD, f"cannot read {path}: {error.strerror}", "config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refusal(Code.BAD_FIELD, f"{path} is not TOML: {error}", "config") from error
    _check_names(path, content, known)
    return path, content


def _check_names(path: Path, content: Mapping[str, Any], known: Collection[str]) -> None:
    for name in content:
        if name not in known:
            import difflib

            near = difflib.get_close_matches(name, known, 1)
            hint = f"Did you mean {near[0]}?" if near else "`llum config` lists the settings."
            raise Refusal(Code.BAD_FIELD, f"{path} has an unknown setting {name!r}", name, hint)
