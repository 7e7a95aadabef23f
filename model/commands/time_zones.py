"""The person's time zone: schedules that name none go by it."""

import msgspec

from model.changes import Decision, put
from model.commands.rules import planned_anew
from model.commands.targets import check_owner
from model.stamp import Stamp
from model.state import Model
from schemas.commands import SetTimeZone
from schemas.time_zones import check_zone_name


def set_time_zone(model: Model, command: SetTimeZone, stamp: Stamp) -> Decision:
    """Set the person's zone, or none. Whether there is such a zone was looked up before it was sent."""
    check_owner(model, stamp.app, "set the time zone")
    if command.time_zone is not None:
        check_zone_name(command.time_zone, "time_zone")
    before = model.root.item
    after = msgspec.structs.replace(before, time_zone=command.time_zone)
    return Decision([] if after == before else [put("model", (), after), *planned_anew(model, stamp)])
