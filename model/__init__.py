"""What a user model is: values and functions. No async, no clock, no chance, no IO, no logging.

    state.py        a person's model in memory
    changes.py      what applying a command leaves to be stored
    apply.py        apply(model, command, app, seq, time_us): the fold
    checks.py       what a value, a text, a definition may be
    permissions.py  who may do what, where
    ask.py          plan_ask, finish_ask: a query in two steps, with the reading of evidence in between
    evidence.py     evidence filters
    resolvers.py    evidence to value
    explain.py      why a value is what it is
    mdef.py         the model definition format
"""
