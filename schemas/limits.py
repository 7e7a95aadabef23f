"""The bounds of what llum accepts, each with its unit and reason. One place for each number."""

from typing import Final

PROTOCOL_VERSION: Final = 1
"""The version that every message carries in `v`. A message with another one is refused."""

MAX_COMMAND_BYTES: Final = 1024 * 1024
"""Bytes of one command. A value larger than this belongs in a file store, with its address as evidence."""

MAX_RESTATED_BYTES: Final = 6 * 1024 * 1024
"""Bytes of one `restate`: it holds the rows of a command, which may be larger than the command."""

MAX_REPLY_BYTES: Final = 4 * 1024 * 1024
"""Bytes of evidence in one reply; the rest is fetched page by page. Half of the server's `max_payload`."""

MAX_PAYLOAD_BYTES: Final = 8 * 1024 * 1024
"""Bytes of one bus message: nats-server's `max_payload` for llum. Larger is advised against by NATS."""

APP_CONNECTIONS: Final = 10_000
"""Connections of apps to the bus at the same time, unless the operator sets another number. nats-server needs about
50 kB for each; beside them there must be room for llum's own."""

APP_SUBSCRIPTIONS: Final = 100
"""Subscriptions of one connection of an app, unless the operator sets another number. A client needs one; some make
one for each request."""

MAX_JSON_DEPTH: Final = 64
"""Levels of nesting in a value. Deep enough for any document, far from Python's recursion limit."""

MAX_PATH_SEGMENTS: Final = 32
"""Segments of a path, the component's name included."""

MAX_SEGMENT_CHARACTERS: Final = 256
"""Characters of one path segment: preference terms are URLs."""

MAX_TEXT_CHARACTERS: Final = 4096
"""Characters of a description or comment: a text for people, not a document."""

MAX_LIST_ITEMS: Final = 1024
"""Items of a list in a definition: flags, goals, a view's components, an enum's values."""

MAX_EXTRA_BYTES: Final = 4096
"""Bytes of JSON of what a context, a component or a view holds beyond the members that llum knows: it is in memory."""

MAX_DEFINITION_ITEMS: Final = 10_000
"""Contexts, components, views and pieces of initial evidence that one command may create."""

MAX_ID_CHARACTERS: Final = 128
"""Characters of a command's id."""

MAX_EVIDENCE_PAGE: Final = 2000
"""Pieces of evidence of one component in one reply."""

MAX_EVIDENCE_CONSIDERED: Final = 200_000
"""Pieces of evidence that one resolver may be given; more is refused with `too_much_evidence`."""

MAX_RULE_DEPTH: Final = 64
"""Rules that have set off one another in a row: a longer chain is taken for a cycle."""

MAX_PER_CAUSE: Final = 1000
"""Commands of rules in one model that go back to one first cause: more is taken for an explosion."""

MAX_CAUSES_REMEMBERED: Final = 4096
"""First causes of a model whose commands are counted; of more at the same time only the depth is bounded."""

MAX_EXPORT_PAGE_BYTES: Final = 512 * 1024
"""Bytes of one page of an export, so that a page can be sent as one import. A larger piece is a page of its own."""

MAX_STREAM_REPLICAS: Final = 5
"""Servers that may keep one stream: JetStream allows no more."""

LEAST_WEIGHT: Final = 0.1
"""The least weight of a worker: one of none would have no partitions."""

MAX_SEQ: Final = 2**63 - 1
"""The largest sequence of a log that can be named."""
