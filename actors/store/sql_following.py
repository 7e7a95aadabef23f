"""The SQL statements about what follows from evidence.

A row of `consequence` is evidence that a rule has told, or with a body something that has left the model. The key is
its cause, so what follows from a piece is one range, and what follows from a component another one. `grantee` and no
component stand for causes in another person's model.
"""

from typing import Final

ADD_CONSEQUENCE: Final = """
INSERT INTO consequence (user_key, grantee, cause_no, cause_seq, cause_n, seq, n, component_no, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

KEY_OF_USER: Final = "SELECT key FROM user WHERE name = ?"
_FOLLOWED: Final = """
SELECT cause_seq, cause_n, consequence.seq, consequence.n, consequence.component_no,
    withdrawal.seq IS NOT NULL, consequence.body
FROM consequence LEFT JOIN withdrawal ON withdrawal.component_no = consequence.component_no
    AND withdrawal.seq = consequence.seq AND withdrawal.n = consequence.n
WHERE user_key = ? AND grantee = ? AND cause_no = ?
"""
_IN_ORDER: Final = "ORDER BY cause_seq, cause_n, consequence.seq, consequence.n LIMIT ?"
FOLLOW_COMPONENT: Final = f"""{_FOLLOWED}
AND (cause_seq, cause_n, consequence.seq, consequence.n) > (?, ?, ?, ?) {_IN_ORDER}"""
FOLLOW_PIECE: Final = f"""{_FOLLOWED}
AND cause_seq = ? AND cause_n = ? AND (consequence.seq, consequence.n) > (?, ?) {_IN_ORDER}"""
"""One range of the table, after a place in it."""
