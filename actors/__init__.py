"""The workers: they apply commands from the log to people's models, and answer asks.

worker.py      a worker: a set of partitions that come and go
sharing.py     serve what is this worker's, by what all workers say of themselves
placement.py   which worker serves which partition: a pure function
moving.py      who holds what while partitions move, and who is the primary: pure rules
serving.py     one partition's life in a worker: restored, caught up, answering, leaving
mailbox.py     what has been read and waits to be applied; batches, and one bound for all
partition.py   messages are applied and spoken of, rows committed behind; and models to read from
settling.py    commands are applied one after the other: outcomes, and rows
uncommitted.py  what waits for its commit, and how much may
committing.py  when it is committed
stored.py      evidence and past models: the rows that wait over those of the shard
incoming.py    log messages to commands, or to the reason why not
live.py        one person's live model; the bounded set of those that are active
figures.py     what a worker tells of itself in numbers
announce.py    what is said once commands have been applied: outcomes, events
asks.py        asks from the bus, replies to it
answers.py     a query's bytes to a reply's bytes
driving.py     runs the model's generators, and reads what they need

store/         what a partition keeps
  shard.py     one SQLite file per partition
  connection.py  opens the file when it is needed (the only importer of aiosqlite)
  batch.py     the rows of one transaction
  writing.py   writes them: all or none
  keys.py      what makes a command the same command
  repeats.py   a filter in memory: has this command been seen before?
  entries.py   what the outbox holds
  overlay.py   what waits for its commit, over what is committed
  sql.py       every SQL statement, named
  evidence_sql.py  that of reading evidence

effects/       what leaves a partition after the commit, relayed by its primary
  relaying.py  who relays: the primary of each partition, with what they share
  outbox.py    entries in their order, at least once
  stage.py     what rules bring about
  rule_values.py  values that rules want
  notices.py   notices in their order, again and again for a day
  webhooks.py  notices to their URLs, one attempt each
  attempt.py   what may come of one
  posting.py   the request (imports aiohttp)
  schedules.py firings become commands
"""
