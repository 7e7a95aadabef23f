"""The SQL statements that read rows for their checksums: those of one person, or all of them page by page."""

from typing import Final

PAGE: Final = 500
"""Rows read at a time: a page takes about a millisecond, then others have their turn."""

_NUMBERS: Final = """
SELECT body ->> 'number' FROM item WHERE user_key = :key AND kind = 'component' AND body IS NOT NULL
"""

EVIDENCE_OF: Final = f"""
SELECT component_no, seq, n, kind, creation_us, useby, body FROM evidence WHERE component_no IN ({_NUMBERS})
"""  # noqa: S608 - only our own constants
ITEMS_OF: Final = "SELECT kind, key, seq, time_us, body FROM item WHERE user_key = :key"
WITHDRAWALS_OF: Final = f"""
SELECT component_no, seq, n, at_seq, at_us, body FROM withdrawal WHERE component_no IN ({_NUMBERS})
"""  # noqa: S608 - only our own constants
CONSEQUENCES_OF: Final = """
SELECT grantee, cause_no, cause_seq, cause_n, seq, n, component_no, body FROM consequence WHERE user_key = :key
"""
COMMANDS_OF: Final = "SELECT seq, time_us, hash, outcome, digest, body FROM command WHERE user_key = :key"

USER_OF: Final = "SELECT key, name, seq, time_us, log_sum, state_sum FROM user WHERE key = ?"
SET_SHARE: Final = "UPDATE user SET state_sum = ?, checksum = ? WHERE key = ?"
TOTAL: Final = "SELECT value FROM meta WHERE name = 'state_sum'"

ALL_EVIDENCE: Final = "SELECT component_no, seq, n, kind, creation_us, useby, body FROM evidence"
ALL_ITEMS: Final = """
SELECT user.key, user.name, kind, item.key, item.seq, item.time_us, body FROM item JOIN user ON user.key = user_key
"""
OWNERS: Final = """
SELECT DISTINCT body ->> 'number', user_key FROM item WHERE kind = 'component' AND body IS NOT NULL
"""
"""Of components, by number."""

ALL_WITHDRAWALS: Final = "SELECT component_no, seq, n, at_seq, at_us, body FROM withdrawal"
ALL_CONSEQUENCES: Final = """
SELECT user.key, user.name, grantee, cause_no, cause_seq, cause_n, consequence.seq, n, component_no, body
FROM consequence JOIN user ON user.key = user_key
"""
ALL_COMMANDS: Final = """
SELECT user.key, command.seq, command.time_us, hash, outcome, digest, body FROM command JOIN user ON user.key = user_key
"""
