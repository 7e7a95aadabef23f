"""Commands that are applied and spoken of in the moment in which they arrive, without a turn of their partition's loop.

Most commands need nothing that must be waited for: the model is in memory, the command is certainly no repeat, and the
bus takes the outcome. To wake a task up for such a one costs as much as applying it. All others go to the loop
(`Serving`), and whatever comes behind them in the same partition waits for them there.
"""

from collections.abc import Callable

from actors.announce import Announcer
from actors.committing import Committing
from actors.partition import Partition
from actors.settling import Settled
from actors.uncommitted import Bound
from bus import failpoints
from bus.log import LogMessage
from bus.logger import get_logger

log = get_logger(__name__)


class AtOnce:
    """Applies what arrives for one partition.

    `is_free` says whether its loop has nothing in hand, and goes on. `on_applied` is called after each command.
    """

    def __init__(
        self,
        partition: Partition,
        announcer: Announcer,
        committing: Committing,
        bound: Bound,
        is_free: Callable[[], bool],
        on_applied: Callable[[], None],
    ) -> None:
        self._partition = partition
        self._announcer = announcer
        self._committing = committing
        self._bound = bound
        self._is_free = is_free
        self._on_applied = on_applied

    def take(self, message: LogMessage) -> bool:
        """Apply a message and speak of it. False, and nothing is done: it is for the loop."""
        if not (self._is_free() and self._bound.has_room and self._announcer.keeps_up):
            return False
        settled = self._partition.apply_at_once(message)
        if settled is None:
            return False
        self._speak(settled)
        self._on_applied()
        return True

    def _speak(self, settled: Settled) -> None:
        try:
            self._announcer.announce_at_once(settled)
        except Exception:
            # It is applied: whoever waits for its outcome sends it again, and gets it. The log goes on.
            log.exception("not_announced", seq=settled.incoming.message.seq)
        failpoints.reached("spoken")
        self._committing.look(at_once=settled.leaves)
