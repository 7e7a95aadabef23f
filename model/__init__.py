"""What a user model is: values and functions. No async, no clock, no chance, no IO, no logging.

state.py        a person's model in memory
changes.py      what applying a command leaves to be stored
apply.py        apply(model, user, app, command, seq, time_us): the fold
making.py       how evidence, components and whole models come into being
checks.py       what a value, a text, a definition may be
permissions.py  who may do what, where
ask.py          plan_ask, finish_ask: a query in two steps, with the reading of evidence in between
views.py        which components an ask is about
reading.py      what an ask wants read from the stored evidence
paging.py       how much evidence goes into one reply
evidence.py     evidence filters
resolvers.py    evidence to value
explain.py      why a value is what it is
mdef.py         the model definition format: lines, includes, statements into definitions, and back
mdef_grammar.py one statement of it
"""
