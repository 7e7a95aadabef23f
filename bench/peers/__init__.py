"""What most teams would build instead: a table in PostgreSQL and an endpoint, as a competent engineer writes them.

cluster.py      a PostgreSQL of its own, on loopback, in a temporary folder
plain.py        a table and an endpoint: a tell inserts a row, an ask reads the latest value
checked.py      the same with part of what llum does: repeats, types, permissions, a log line
serving.py      what both endpoints have in common
"""
