"""Writes the generated pages of docs/reference from the code, so that they cannot differ from it.

python docs/generate.py            write them
python docs/generate.py --check    say which are out of date, exit code 1 if any is
"""

import difflib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pages import figures, house, metrics, names, ontologies, openapi, programs, resolving, sdk, wire

FOLDER: Final = Path(__file__).parent / "reference"


def main(arguments: list[str]) -> int:
    """Write or check all pages and give the exit code."""
    if arguments == ["--check"]:
        return _check()
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), "utf-8")
    return 0


def _check() -> int:
    stale = 0
    for name, page in PAGES.items():
        path = FOLDER / name
        there = path.read_text("utf-8") if path.exists() else ""
        if there != (wanted := page()):
            stale = 1
            print(f"{path.relative_to(Path.cwd())} is out of date: run `make docs`", file=sys.stderr)
            print("\n".join(list(difflib.unified_diff(there.split("\n"), wanted.split("\n"), lineterm=""))[:20]))
    return stale


PAGES: Final[dict[str, Callable[[], str]]] = {
    "subjects.md": wire.subjects_page,
    "messages.md": wire.messages_page,
    "errors.md": wire.errors_page,
    "configuration.md": programs.configuration_page,
    "cli.md": programs.cli_page,
    "browse.md": programs.browse_page,
    "resolvers.md": resolving.resolvers_page,
    "sdk.md": sdk.sdk_page,
    "metrics.md": metrics.metrics_page,
    "figures.md": figures.figures_page,
    "modules.md": house.house_page,
    "names.md": names.names_page,
    "ontologies.md": ontologies.ontologies_page,
    "openapi.json": openapi.openapi_page,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
