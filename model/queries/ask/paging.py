"""How much evidence goes into one reply: so many pieces of one component, so many bytes in all."""

from collections.abc import Iterator, Sequence
from itertools import takewhile

from model.evidence import body_without_cause, held_place, piece_id
from model.permissions import OWNER, Grant
from model.reads import Found
from schemas.evidence import EncodedEvidence
from schemas.limits import MAX_EVIDENCE_PAGE

After = tuple[int, int]


class Budget:
    """Bytes of evidence that a reply still has room for."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, size: int) -> bool:
        """Use up `size` bytes, if there is room for them."""
        if size > self.left:
            return False
        self.left -= size
        return True


def page_of(
    found: Found, after: After | None, after_held: float | None, until: int | None, budget: Budget
) -> tuple[EncodedEvidence, bool]:
    """Give the next page of evidence, as it is encoded, and whether there is more.

    `after`: only what comes after, in the order of holding if it says when that piece held. `until`: only what was told
    up to this sequence.
    """
    bodies = found.bodies
    if until is not None:
        bodies = [body for body in bodies if piece_id(body)[0] <= until]
    if after is not None and after_held is not None:
        place = (after_held, *after)
        bodies = [body for body in bodies if held_place(body) > place]
    elif after is not None and bodies and piece_id(bodies[0]) <= after:
        bodies = [body for body in bodies if piece_id(body) > after]
    if len(bodies) <= MAX_EVIDENCE_PAGE and budget.take(sum(map(len, bodies))):
        return EncodedEvidence(bodies), found.cut
    return EncodedEvidence(list(_that_fit(bodies, budget))), True


def shown_to(grant: Grant, page: EncodedEvidence) -> EncodedEvidence:
    """Leave out of a page what only owners see."""
    return page if grant is OWNER else EncodedEvidence([*map(body_without_cause, page.bodies)])


def _that_fit(bodies: Sequence[bytes], budget: Budget) -> Iterator[bytes]:
    return takewhile(lambda body: budget.take(len(body)), bodies[:MAX_EVIDENCE_PAGE])
