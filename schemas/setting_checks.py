"""What the parts of a setting, and of a slice, may be: looked at before anything of a model is known.

Who asks is told of a mistake at once, by the same code by which a model refuses it later.
"""

from collections.abc import Collection, Sequence

from schemas.errors import Code, Refusal
from schemas.evidence import FILTER_NAMES
from schemas.permissions import Permission
from schemas.plain_checks import MAX_TIME_S, check_time
from schemas.slices import Slice


def check_filters(names: Sequence[str], field: str) -> None:
    """Check that there are such evidence filters, or raise `bad_filter`."""
    for index, name in enumerate(names):
        if name not in FILTER_NAMES:
            known = ", ".join(FILTER_NAMES)
            raise Refusal(Code.BAD_FILTER, f"there is no filter {name[:80]!r}", f"{field}[{index}]", f"one of {known}")


def check_times(setting: Permission | Slice, below: str) -> None:
    """Check until when and how far back, or raise `bad_field`; the names of the fields begin with `below`."""
    for part, time_s in (("expires", setting.expires), ("since", setting.since)):
        if time_s is not None:
            check_time(time_s, f"{below}{part}")
    if setting.past is not None and not 0 <= setting.past <= MAX_TIME_S:
        message = "that is no number of seconds to look back"
        raise Refusal(Code.BAD_FIELD, message, f"{below}past", "0: not at all")


def check_of_rules(verbs: Collection[str], below: str) -> None:
    """Check what is allowed to rules in another person's model: they ask and tell, and do nothing else here."""
    for verb in ("make", "delete", "rules", "notify"):
        if verb in verbs:
            message = f"a rule in another person's model can ask and tell here, not {verb}"
            raise Refusal(Code.BAD_FIELD, message, f"{below}{verb}", "permit ask or tell")
