"""How much the tests with chance in them do: laws over random histories, and storms in which processes are killed.

`make test` does little of it each time; `make test-long` does much, and with other seeds.
"""

import os
from typing import Final

EFFORT: Final = int(os.environ.get("LLUM_TEST_EFFORT", "1"))
"""How many times as much as in `make test`."""
