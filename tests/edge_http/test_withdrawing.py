"""Taking evidence back over HTTP, and seeing first what follows."""

from typing import Any

import pytest

from schemas.app_names import app_id
from schemas.asked import AskedRow
from schemas.commands import DeleteComponent, DeleteContext, Withdraw
from schemas.consequences import ChangedValue, GoingPiece, Uncounted
from schemas.errors import Code
from schemas.evidence import CausingPiece
from schemas.following import FollowsReply, ToldValue
from schemas.queries import Consequences, Follows
from schemas.replies import ConsequencesReply
from tests.edge_http.conftest import Edge
from tests.edge_http.fakes import accepted, refused


async def test_a_piece_is_withdrawn(edge: Edge) -> None:
    """By its sequence, and its number if the command told several."""
    edge.requests.outcomes = [accepted(7)]
    body = {"id": "1", "context": "Sport", "componentid": "steps", "seq": 5, "n": 2, "comment": "no"}
    assert await edge.call("withdraw", body) == {"result": "ok", "val": None}
    assert edge.requests.commands == [Withdraw(id="1", context=["Sport"], component="steps", seq=5, n=2, comment="no")]


async def test_what_is_not_there_cannot_be_withdrawn(edge: Edge) -> None:
    """The code is that of the command."""
    edge.requests.outcomes = [refused(Code.NO_SUCH_EVIDENCE)]
    answer = await edge.call("withdraw", {"context": ["Sport"], "componentid": "steps", "seq": 5})
    assert (answer["result"], answer["error"]["code"]) == ("error", "no_such_evidence")


@pytest.mark.parametrize(
    ("members", "command"),
    [
        ({"componentid": "steps", "seq": 5}, Withdraw(id="", context=["Sport"], component="steps", seq=5)),
        ({"componentid": "steps"}, DeleteComponent(id="", context=["Sport"], component="steps")),
        ({}, DeleteContext(id="", context=["Sport"])),
    ],
)
async def test_what_follows_is_said_before(edge: Edge, members: dict[str, Any], command: Any) -> None:
    """Of a withdrawal, or of what is deleted: each value, and each thing that goes; apps are called by their names."""
    edge.requests.replies = [
        ConsequencesReply(
            seq=9,
            values=[ChangedValue(path=["Sport", "steps"], before=2, after=1)],
            pieces=[GoingPiece(path=["Sport", "steps"], seq=5, value=2, source=app_id("Coach"), creation_time=1.0)],
            cut=Uncounted(pieces=3),
        )
    ]
    answer = await edge.call("consequences", {"context": ["Sport"], **members})
    assert answer["val"] == {
        "seq": 9,
        "values": [{"path": ["Sport", "steps"], "before": 2, "after": 1}],
        "pieces": [{"path": ["Sport", "steps"], "seq": 5, "value": 2, "source": "Coach", "creation_time": 1.0}],
        "cut": {"pieces": 3},
    }
    assert edge.requests.queries == [Consequences(command=command)]


async def test_what_has_followed_is_said_after(edge: Edge) -> None:
    """All lists are there, if only empty; apps are called by their names."""
    edge.requests.replies = [
        FollowsReply(
            seq=9,
            values=[
                ToldValue(
                    path=["Sport", "day"],
                    seq=6,
                    value="busy",
                    source=app_id("Coach"),
                    creation_time=1.0,
                    rule="3",
                    cause=CausingPiece(seq=5),
                )
            ],
            asked=[AskedRow(app=app_id("Coach"), verb="ask", path=["Sport", "day"], count=2, first=1.0, last=2.0)],
        )
    ]
    answer = await edge.call("follows", {"context": "Sport", "componentid": "steps", "seq": 5})
    value = {"path": ["Sport", "day"], "seq": 6, "value": "busy", "source": "Coach", "creation_time": 1.0, "rule": "3"}
    asked = {"app": "Coach", "verb": "ask", "path": ["Sport", "day"], "count": 2, "first": 1.0, "last": 2.0}
    assert answer["val"] == {
        "seq": 9,
        "values": [value | {"cause": {"seq": 5}}],
        "rules": [],
        "notices": [],
        "elsewhere": [],
        "asked": [asked],
        "more": False,
    }
    assert edge.requests.queries == [Follows(context=["Sport"], component="steps", seq=5)]
