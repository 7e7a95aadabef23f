"""Which model an answer is about: the one of now, or that of a sequence or time of the past."""

from collections.abc import Generator

from model.checks import check_time
from model.evidence import to_us
from model.reads import AsOf
from model.state import Model
from schemas.errors import Code, Refusal

FindingModel = Generator[AsOf, Model | None, Model]


def model_then(model: Model, seq: int | None, time_s: float | None) -> FindingModel:
    """Give the model as it was after a sequence and at a time (seconds since 1970), so far as these are set.

    Raises `bad_field` for a time out of bounds and `no_such_model` for one before the model was made.
    """
    if seq is None and time_s is None:
        return model
    if time_s is not None:
        check_time(time_s, "as_of_time")
    last = model.seq if seq is None else min(seq, model.seq)
    then = yield AsOf(user=model.user, seq=last, until_us=None if time_s is None else to_us(time_s))
    if then is None:
        raise Refusal(Code.NO_SUCH_MODEL, "the model had not yet been made then", "as_of")
    return then
