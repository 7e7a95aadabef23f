"""A plan about settings in plain words."""

from collections.abc import Iterator

from llum.cli import layout
from llum.preferences_targets.planning import SettingPlan


def in_words(plan: SettingPlan, sides: tuple[str, str], width: int | None) -> str:
    """Say what would change and what stays as it is; `width` are the cells of a line, None: nothing is cut.

    `sides` are the heads above what is and what will be.
    """
    return "\n\n".join(_parts(plan, sides, width))


def _parts(plan: SettingPlan, sides: tuple[str, str], width: int | None) -> Iterator[str]:
    if plan.changes:
        rows = [[one.title, one.old_words, one.new_words] for one in plan.changes]
        yield layout.whole_table(("setting", *sides), rows, width)
    if plan.skipped:
        rows = [[one.title, one.why] for one in plan.skipped]
        title = f"{counted(len(plan.skipped), 'is', 'are')} skipped:"
        yield f"{title}\n{layout.whole_table(('setting', 'why'), rows, width)}"
    if plan.alike:
        yield f"{counted(plan.alike, 'is', 'are')} so already."


def refused(plan: SettingPlan, done: SettingPlan) -> str:
    """Say what was to change and was not taken, a line for each."""
    return "".join(f"\n{one.title}: {one.why}" for one in done.skipped[len(plan.skipped) :])


def counted(number: int, one: str, several: str) -> str:
    """Write `1 setting is` or `3 settings are`."""
    return f"{number} {'setting' if number == 1 else 'settings'} {one if number == 1 else several}"
