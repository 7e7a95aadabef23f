"""How much there is of a part that may be forgotten: the store counts, in the past too."""

from model.changes import Part
from model.commands.erase import part_of
from model.commands.targets import check_owner
from model.state import Model
from schemas.queries import MeasurePart


def part_to_measure(model: Model, app: str, query: MeasurePart) -> Part | None:
    """Say what is to be counted; None: nothing is named. Raises `permission_denied` and `bad_field`."""
    check_owner(model, app, "see what would be forgotten")
    return None if query == MeasurePart(min_seq=query.min_seq, v=query.v) else part_of(query)
