"""For whom credentials may be issued."""

from schemas.apps import check_app, is_llums_own
from schemas.errors import Code, Refusal
from schemas.paths import check_token


def check_names(user: str, app: str) -> None:
    """Raise `bad_field` for ids that cannot be, and for those that begin with `_`: nobody speaks as llum itself."""
    check_app(app, "app")
    if is_llums_own(check_token(user, "user")):
        raise Refusal(Code.BAD_FIELD, "ids with a _ in front are llum's own", "user")
