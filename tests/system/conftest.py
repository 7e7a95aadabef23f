"""A running llum for each test or module, and clients of it. No process outlives its fixture."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.harness import Llum
from tests.system.plain_bus import PlainBus


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Llum]:
    """An installation that has not been started."""
    llum = Llum(tmp_path)
    yield llum
    llum.clean_up()


@pytest.fixture
def llum(installation: Llum) -> Llum:
    """A running llum of this test's own."""
    installation.start()
    return installation


@pytest.fixture(scope="module")
def shared_llum(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Llum]:
    """A running llum for all tests of a module."""
    llum = Llum(tmp_path_factory.mktemp("shared"))
    try:
        llum.start()
        yield llum
    finally:
        llum.clean_up()


@pytest.fixture
async def bus(llum: Llum) -> AsyncIterator[PlainBus]:
    async with PlainBus.connect(llum.nats) as bus:
        yield bus


@pytest.fixture
async def shared_bus(shared_llum: Llum) -> AsyncIterator[PlainBus]:
    async with PlainBus.connect(shared_llum.nats) as bus:
        yield bus


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Show with a failure what the processes have logged."""
    report = yield
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            if isinstance(value, Llum):
                report.sections.append(("logs of llum", value.last_words()))
                break
    return report
