"""How much evidence goes into one reply: so many pieces of one component, so many bytes in all."""

from collections.abc import Sequence

from schemas.evidence import Evidence
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
    bodies: Sequence[bytes], pieces: Sequence[Evidence], after: After | None, budget: Budget
) -> tuple[list[Evidence], bool]:
    """Give the next page of evidence and whether there is more. `bodies` are what `pieces` were decoded from."""
    page: list[Evidence] = []
    for body, piece in zip(bodies, pieces, strict=True):
        if after is not None and (piece.seq, piece.n) <= after:
            continue
        if len(page) == MAX_EVIDENCE_PAGE or not budget.take(len(body)):
            return page, True
        page.append(piece)
    return page, False
