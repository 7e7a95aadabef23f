"""What a user model is: values and functions. No async, no clock, no chance, no IO, no logging.

Two doors lead in, and both are generators: they yield what they need from outside, and are sent it.

`model.commands.decide`  says what a command changes, or why it is refused. It never writes.
`model.queries.answer`   answers a query. It never writes either.

`model.fold.evolve` alone changes a model; `model.fold.restore` makes one from what is stored, by the same function.

state.py        the model in memory: its whole structure. The evidence stays in the shard
changes.py      what a command changes
fold.py         a model is what its changes make of it, one after the other
stamp.py        who changes a model, and when
permissions.py  who may do what, where
evidence.py     evidence filters and expiry
reads.py        what is to be read from the stored evidence, and what was found
checks.py       what a value, a text, a definition may be
latest.py       the latest evidence of each component
sharing.py      what models have in common exists once in memory
caches.py       what is remembered beside a model; it is no part of it

commands/       what each command changes
queries/        how each query is answered
resolvers/      from evidence to a value
rules/          the language of rules, decisions, schedules
formats/        models as text: definitions, archives, the original's exports
"""
