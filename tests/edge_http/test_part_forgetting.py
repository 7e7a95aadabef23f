"""Forgetting a part over HTTP, and counting it first."""

from typing import Any

import pytest

from schemas.app_names import app_id
from schemas.parts import ForgetPart, MeasurePartReply, PartSize
from schemas.queries import MeasurePart
from tests.edge_http.conftest import Edge
from tests.edge_http.fakes import accepted

PIECE = {"componentid": "steps", "seq": 5, "n": 2}
PERIOD = {"held_from": 1, "held_until": 2.5}
MEMBERS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"context": "Sport", "componentid": "steps"}, {"context": ["Sport"], "component": "steps"}),
    ({"context": [], **PIECE}, {"context": [], "component": "steps", "seq": 5, "n": 2}),
    ({"source": "Coach", **PERIOD}, {"source": app_id("Coach"), **PERIOD}),
]


@pytest.mark.parametrize(("body", "members"), MEMBERS)
async def test_a_part_is_forgotten(edge: Edge, body: dict[str, Any], members: dict[str, Any]) -> None:
    """A component, a piece, what an app told in a period; apps are called by their names."""
    edge.requests.outcomes = [accepted(7)]
    assert await edge.call("forgetpart", {"id": "1", **body}) == {"result": "ok", "val": None}
    assert edge.requests.commands == [ForgetPart(id="1", **members)]


@pytest.mark.parametrize(("body", "members"), MEMBERS)
async def test_a_part_is_counted(edge: Edge, body: dict[str, Any], members: dict[str, Any]) -> None:
    """All counts are there, if only 0."""
    edge.requests.replies = [MeasurePartReply(seq=9, size=PartSize(evidence=3), waits=True)]
    answer = await edge.call("measurepart", body)
    assert answer["val"]["size"]["evidence"] == 3
    assert answer["val"]["size"]["derived"] == 0
    assert answer["val"]["waits"] is True
    assert edge.requests.queries == [MeasurePart(**members)]
