"""Everything that somebody can use is documented.

Method, as in Datasette's `tests/test_docs.py`: for each family the code lists what there is, and the page is
searched for each of them. Code in the first column of a table counts as documented, and so does a heading.
"""

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import click
import msgspec
import pytest

from bus import subjects
from edge_http.app import make_app
from edge_http.personis.routes import OPERATIONS
from llum import public
from llum.cli.browse.commands import TABLE
from llum.cli.main import cli
from llum.client import Client
from llum.metrics.declared import METRICS
from llum.ontologies import format as ontologies
from llum.settings import SETTINGS, option, variable
from model.resolvers.summaries import SHIPPED
from schemas.commands import COMMANDS
from schemas.errors import Code
from schemas.evidence import FILTER_NAMES
from schemas.queries import QUERIES
from schemas.reserved import RESERVED_MEMBERS
from schemas.verbs import verb_of

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = DOCS / "reference"

Word = tuple[str, str]
"""A page of the reference, and a word that it must document."""


def verbs(kinds: tuple[type, ...]) -> list[str]:
    return list(map(verb_of, kinds))


def leaves(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    """Give the commands below one, with what is typed for each."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None
        yield from leaves(f"{path} {name}", below)


def is_async(method: object) -> bool:
    return inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method)


def shown_options(command: click.Command) -> list[click.Option]:
    return [one for one in command.params if isinstance(one, click.Option) and not one.hidden]


def routes() -> set[str]:
    """Give the paths of the HTTP edge, except the one that takes every other name."""
    app = make_app(Mock(), Mock(), Mock(), "http://llum.example")
    return {resource.canonical for resource in app.router.resources()} - {"/{op}"}


def streams_and_buckets() -> list[str]:
    """Give the names that a NATS operator sees."""
    named = {name: value for name, value in vars(subjects).items() if name.endswith(("_STREAM", "_BUCKET"))}
    return [*named.values(), subjects.REPLY_TO_HEADER, subjects.SETTLE_HEADER]


def members_of_ontologies() -> set[str]:
    """Give what an operator may write in a file about an ontology."""
    kinds = [kind for kind in vars(ontologies).values() if isinstance(kind, type) and issubclass(kind, msgspec.Struct)]
    return {field.encode_name for kind in kinds for field in msgspec.structs.fields(kind)} - {"points", "decimals"}


CLI = dict(leaves("llum", cli))
SHELL = {str(name): command for name, command in TABLE.commands.items()}

METHODS = [name for name, one in vars(Client).items() if not name.startswith("_") and is_async(one)]

WORDS: list[Word] = [
    *(("subjects.md", verb) for verb in [*verbs(COMMANDS), *verbs(QUERIES)]),
    *(("subjects.md", name) for name in streams_and_buckets()),
    *(("errors.md", str(code)) for code in Code),
    *(("configuration.md", option(name)) for name in SETTINGS),
    *(("cli.md", path) for path in CLI),
    *(("browse.md", name) for name in SHELL),
    *(("resolvers.md", name) for name in SHIPPED),
    *(("filters.md", name) for name in FILTER_NAMES),
    *(("importing.md", name) for name in sorted(RESERVED_MEMBERS)),
    *(("http.md", operation) for operation in OPERATIONS),
    *(("ontologies.md", member) for member in sorted(members_of_ontologies())),
    *(("sdk.md", name) for name in public.__all__),
    *(("metrics.md", name) for name in METRICS),
    *(("sdk.md", name) for name in METHODS),
]


def documented(page: str) -> set[str]:
    """Give what a page documents: code in first columns, and headings."""
    text = (REFERENCE / page).read_text()
    columns = re.findall(r"^\|([^|]*)\|", text, re.MULTILINE)
    coded = [word for column in columns for word in re.findall(r"`([^`]+)`", column)]
    return {*coded, *re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


def section(page: str, heading: str) -> str:
    """Give what stands below a heading, up to the next."""
    text = (REFERENCE / page).read_text()
    (found,) = re.findall(rf"^#+ {re.escape(heading)}$(.*?)(?=^#+ |\Z)", text, re.DOTALL | re.MULTILINE)
    return str(found)


@pytest.mark.parametrize(("page", "word"), WORDS)
def test_every_word_is_documented(page: str, word: str) -> None:
    """A verb, error code, setting, command, resolver, filter, operation, metric, reserved name: each has its place."""
    assert word in documented(page)


@pytest.mark.parametrize("route", sorted(routes()))
def test_every_route_is_documented(route: str) -> None:
    """Operations by their names, other paths as they are; what people see is among the pages."""
    pages = ("http.md", "pages.md", "oauth.md", "preferences.md", "preference-keys.md")
    assert set().union(*map(documented, pages)) & {route, route.removeprefix("/"), f"GET {route}"}


@pytest.mark.parametrize("word", [option(name) for name in SETTINGS])
def test_every_setting_is_explained(word: str) -> None:
    """Its row says which variable sets it, what it is and what it takes."""
    (row,) = [line for line in (REFERENCE / "configuration.md").read_text().splitlines() if f"| `{word}` |" in line]
    cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
    assert cells[1] == f"`{variable(word.removeprefix('--').replace('-', '_'))}`"
    assert all(cells)


@pytest.mark.parametrize(
    ("page", "path"), [*(("cli.md", path) for path in CLI), *(("browse.md", name) for name in SHELL)]
)
def test_every_option_is_documented(page: str, path: str) -> None:
    """Below its command, and with a help that says what it does."""
    command = CLI[path] if page == "cli.md" else SHELL[path]
    below = section(page, path)
    assert (command.help or "").splitlines()[0].strip() in " ".join(below.split())
    for one in shown_options(command):
        assert one.help, f"{path} {one.opts[0]} has no help"
        assert re.search(rf"`[^`]*(?<![\w-]){re.escape(one.opts[0])}\b", below), f"{path} {one.opts[0]}"


@pytest.mark.parametrize("name", SHIPPED)
def test_every_argument_of_a_resolver_is_documented(name: str) -> None:
    """Below its resolver."""
    below = section("resolvers.md", name)
    assert all(f"| `{argument}` |" in below for argument in SHIPPED[name].arguments)


def links(page: Path) -> Iterator[Path]:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            yield (page.parent / target).resolve()


PAGES = [
    *sorted(DOCS.parent.glob("*.md")),
    *sorted(DOCS.rglob("*.md")),
    *sorted((DOCS.parent / "examples").rglob("*.md")),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS.parent)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page names a file that is there."""
    assert [str(target) for target in links(page) if not target.exists()] == []


def test_every_page_can_be_found() -> None:
    """The index of the documentation leads to each page; that of decisions to each decision."""
    listed = {*links(DOCS / "README.md"), *links(DOCS / "adr" / "README.md"), DOCS / "README.md"}
    assert [str(page) for page in sorted(DOCS.rglob("*.md")) if page not in listed] == []


def test_make_explains_each_of_its_commands() -> None:
    """In a line that fits a terminal of 80 columns."""
    makefile = (DOCS.parent / "Makefile").read_text()
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    explained = subprocess.run(["make", "help"], cwd=DOCS.parent, capture_output=True, check=True, text=True).stdout
    assert set(re.findall(r"^  make ([a-z-]+)  ", explained, re.MULTILINE)) == set(phony.split())
    assert max(map(len, explained.splitlines())) <= 80


def imported(source: str) -> set[str]:
    """Give the packages that a program imports."""
    nodes = list(ast.walk(ast.parse(source)))
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    parts = [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.split(".")[0] for name in [*plain, *parts]}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS.parent)))
def test_programs_of_others_import_llum_alone(page: Path) -> None:
    """Besides Python's own modules, a NATS client and one of OAuth: `bus` or `model` are names of llum's inside."""
    for source in re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE):
        assert imported(source) <= {"llum", "nats", "authlib", "httpx", *sys.stdlib_module_names}
