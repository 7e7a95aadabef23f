"""Resolvers as plug-ins of an installation."""

import re
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from llum.resolvers import GROUP, load_resolvers
from model.resolvers.registry import checked_arguments, run
from model.resolvers.summaries import SHIPPED
from schemas.errors import Code, Refusal
from schemas.evidence import Evidence

PLUGINS = """
from model.resolvers.registry import Resolved, Resolver

def nine(evidence, now, arguments):
    return Resolved(9)

resolver = Resolver("own name", nine, description="nine")

def make():
    return Resolver("made", nine)

def breaks():
    raise RuntimeError("no licence")

nothing = 5
"""


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "llum_test_plugins.py").write_text(PLUGINS)
    monkeypatch.syspath_prepend(tmp_path)


def plugin(name: str, attribute: str, module: str = "llum_test_plugins") -> EntryPoint:
    return EntryPoint(name=name, value=f"{module}:{attribute}", group=GROUP)


def test_the_shipped_ones_are_there() -> None:
    """Without any plug-in installed."""
    assert load_resolvers([]) == dict(SHIPPED)
    assert load_resolvers().keys() >= SHIPPED.keys()


@pytest.mark.usefixtures("plugins")
def test_plugins_are_named_by_their_entry_points() -> None:
    """A resolver, or a function that makes one."""
    resolvers = load_resolvers([plugin("nine", "resolver"), plugin("other", "make")])
    for name in ("nine", "other"):
        assert resolvers[name].name == name
        assert run(resolvers[name], [], 0.0, {}).value == 9
    assert resolvers["nine"].description == "nine"


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize(
    ("attribute", "module"),
    [("breaks", "llum_test_plugins"), ("nothing", "llum_test_plugins"), ("x", "llum_no_such_module"), ("gone", "os")],
)
def test_a_plugin_that_cannot_be_loaded_fails_whoever_names_it(attribute: str, module: str) -> None:
    """And nobody else."""
    resolvers = load_resolvers([plugin("bad", attribute, module), plugin("nine", "resolver")])
    with pytest.raises(Refusal) as caught:
        run(resolvers["bad"], [], 0.0, {})
    assert caught.value.code is Code.RESOLVER_FAILED
    assert run(resolvers["nine"], [], 0.0, {}).value == 9


@pytest.mark.usefixtures("plugins")
def test_a_shipped_resolver_is_not_replaced() -> None:
    """Nor does a second plug-in take the name of a first."""
    resolvers = load_resolvers([plugin("default", "resolver"), plugin("nine", "resolver"), plugin("nine", "make")])
    assert resolvers["default"] is SHIPPED["default"]
    assert resolvers["nine"].description == "nine"


def test_the_resolver_of_the_how_to_works_as_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loaded by the entry point that its page names."""
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "write-a-resolver.md").read_text()
    (source,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (name, value) = re.findall(r'^(\w+) = "([\w:]+)"$', page, re.MULTILINE)[0]
    (tmp_path / "at_desk.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    resolver = load_resolvers([EntryPoint(name=name, value=value, group=GROUP)])[name]
    seen = Evidence(seq=1, value=True, source="sensor", owner="alice", time=1000.0, creation_time=1000.0)
    default, short = checked_arguments(resolver, {}), checked_arguments(resolver, {"within": 10})
    assert run(resolver, [seen], 1100.0, default).value == "yes"
    assert run(resolver, [seen], 1100.0, short).value == "no"
    assert run(resolver, [], 1100.0, default).value == "no"
