"""Set what was planned, and keep what was before: each first, so that what was broken off can be undone, too."""

import msgspec

from llum.preferences_targets.keeping import BeforeApply
from llum.preferences_targets.planning import ABSENT, SettingChange, SettingPlan, SkippedSetting, joined
from llum.preferences_targets.target import NotTaken, SettingsTarget


def applied(plan: SettingPlan, target: SettingsTarget, before: BeforeApply) -> SettingPlan:
    """Set everything that changes. Gives the plan as it came to be: what was not taken is among the skipped."""
    earlier, changed, skipped = before.read(), list[SettingChange](), [*plan.skipped]
    for one in plan.changes:
        # It stays kept if anything else is raised: then nobody knows whether it has been set.
        before.keep(joined(earlier, [*changed, one]))
        try:
            target.put(one.place, one.new)
        except NotTaken as error:
            skipped.append(SkippedSetting(one.place, one.title, str(error)))
            before.keep(joined(earlier, changed))
        else:
            changed.append(one)
    return msgspec.structs.replace(plan, changes=changed, skipped=skipped)


def put_back(plan: SettingPlan, target: SettingsTarget, before: BeforeApply) -> SettingPlan:
    """Put back everything that changes, and forget it. What could not be put back now is kept for the next time."""
    changed, skipped = list[SettingChange](), [*plan.skipped]
    for one in plan.changes:
        try:
            _put_back(one, target)
        except NotTaken as error:
            skipped.append(SkippedSetting(one.place, one.title, str(error)))
        else:
            changed.append(one)
    left = {one.place for one in plan.changes} - {one.place for one in changed}
    left |= {one.place for one in plan.skipped if one.why == ABSENT}
    before.keep([one for one in before.read() if one.place in left])
    return msgspec.structs.replace(plan, changes=changed, skipped=skipped)


def _put_back(one: SettingChange, target: SettingsTarget) -> None:
    """What the person had not set is reset: it is to follow its default when that changes."""
    if one.was_set:
        target.put(one.place, one.new)
    else:
        target.reset(one.place)
