"""Resolvers as plug-ins of an installation."""

import re
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.plugins.together import resolve_together
from llum.resolvers import GROUP, installed, running_resolvers
from model.elsewhere import ResolveElsewhere, Together
from model.resolvers.registry import Resolved, Resolver, checked_arguments, run
from model.resolvers.summaries import SHIPPED
from schemas.errors import Code, Refusal
from schemas.evidence import Evidence
from tests.actors.test_plugins import PATIENT

PLUGINS = """
from model.resolvers.registry import Resolved, Resolver

def nine(evidence, now, arguments):
    return Resolved(9)

resolver = Resolver("own name", nine, description="nine")

def make():
    return Resolver("made", nine)

latest = Resolver("latest", nine, newest_of="goal", description="promised")

def breaks():
    raise RuntimeError("no licence")

nothing = 5
"""


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "llum_test_plugins.py").write_text(PLUGINS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


async def value_of(resolver: Resolver, evidence: list[Evidence], now: float = 0.0, **arguments: Any) -> Any:
    """Have a plug-in resolve evidence."""
    bodies = [msgspec.json.encode(piece) for piece in evidence]
    (one,) = await resolve_together(Together([ResolveElsewhere(resolver, bodies, now, arguments, explains=False)]))
    assert isinstance(one, Resolved)
    return one.value


def plugin(name: str, attribute: str, module: str = "llum_test_plugins") -> EntryPoint:
    return EntryPoint(name=name, value=f"{module}:{attribute}", group=GROUP)


async def test_the_shipped_ones_are_there() -> None:
    """Without any plug-in installed."""
    async with running_resolvers([]) as resolvers:
        assert resolvers.keys() == SHIPPED.keys()
        assert {name for name, one in resolvers.items() if one is not SHIPPED[name]} == {"time_in_state"}, "has days"
    assert not {one.name for one in installed()} & SHIPPED.keys()


@pytest.mark.usefixtures("plugins")
async def test_plugins_are_named_by_their_entry_points() -> None:
    """A resolver, or a function that makes one."""
    named = [plugin("nine", "resolver"), plugin("other", "make")]
    async with running_resolvers(named, PATIENT) as resolvers:
        for name in ("nine", "other"):
            assert resolvers[name].name == name
            assert await value_of(resolvers[name], []) == 9
        assert resolvers["nine"].description == "nine"


@pytest.mark.usefixtures("plugins")
async def test_a_promise_of_the_newest_evidence_is_kept_without_the_plugin() -> None:
    """Its value is the same, and it needs no process."""
    async with running_resolvers([plugin("latest", "latest")], PATIENT) as resolvers:
        latest = resolvers["latest"]
        assert (latest.name, latest.newest_of, latest.description) == ("latest", "goal", "promised")
        assert latest.elsewhere is None
        assert latest.resolve is SHIPPED["goal"].resolve


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize(
    ("attribute", "module"),
    [("breaks", "llum_test_plugins"), ("nothing", "llum_test_plugins"), ("x", "llum_no_such_module"), ("gone", "os")],
)
async def test_a_plugin_that_cannot_be_loaded_fails_whoever_names_it(attribute: str, module: str) -> None:
    """And nobody else."""
    named = [plugin("bad", attribute, module), plugin("nine", "resolver")]
    async with running_resolvers(named, PATIENT) as resolvers:
        with pytest.raises(Refusal) as caught:
            run(resolvers["bad"], [], 0.0, {})
        assert caught.value.code is Code.RESOLVER_FAILED
        assert await value_of(resolvers["nine"], []) == 9


@pytest.mark.usefixtures("plugins")
async def test_a_shipped_resolver_is_not_replaced() -> None:
    """Nor does a second plug-in take the name of a first."""
    named = [plugin("default", "resolver"), plugin("nine", "resolver"), plugin("nine", "make")]
    async with running_resolvers(named, PATIENT) as resolvers:
        assert resolvers["default"] is SHIPPED["default"]
        assert resolvers["nine"].description == "nine"


async def test_the_resolver_of_the_how_to_works_as_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loaded by the entry point that its page names."""
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "write-a-resolver.md").read_text()
    (source,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (name, value) = re.findall(r'^(\w+) = "([\w:]+)"$', page, re.MULTILINE)[0]
    (tmp_path / "at_desk.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    async with running_resolvers([EntryPoint(name=name, value=value, group=GROUP)], PATIENT) as resolvers:
        resolver = resolvers[name]
        seen = Evidence(seq=1, value=True, source="sensor", owner="alice", time=1000.0, creation_time=1000.0)
        default, short = checked_arguments(resolver, {}), checked_arguments(resolver, {"within": 10})
        assert await value_of(resolver, [seen], 1100.0, **default) == "yes"
        assert await value_of(resolver, [seen], 1100.0, **short) == "no"
        assert await value_of(resolver, [], 1100.0, **default) == "no"
