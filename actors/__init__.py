"""The workers: per-user model actors that apply commands from the log and answer asks.

sql.py         every SQL statement, named
shard.py       one SQLite file per partition (the only importer of aiosqlite)
actor.py       one user's live model; `ActiveModels`, the bounded set of them
intake.py      log messages to commands, or to the reason why not
partition.py   a batch of log messages: decode, drop repeats, apply, commit; and asks
answers.py     a query's bytes to a reply's bytes
outbox.py      what must leave after the commit, relayed at least once
worker.py      the bus side: reads the log, runs the partitions, replies
"""
