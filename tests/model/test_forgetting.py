"""Forgetting a model that is not there."""

from model.changes import ForgetUser
from schemas.commands import Forget
from tests.model.applying import apply


def test_forgetting_nobody_is_accepted() -> None:
    """So it can be done again, and takes what is left of refused commands."""
    applied = apply(None, "alice", "llum", Forget(id="f"), 1, 1)
    assert applied.model is None
    assert applied.changes == [ForgetUser()]
