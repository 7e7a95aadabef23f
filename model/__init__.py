"""What a user model is: values and functions. No async, no clock, no chance, no IO, no logging.

A person's model
    state.py           the model in memory, and how it is restored from what is stored
    changes.py         what applying a command leaves to be stored or done
    reading.py         what is to be read from the stored evidence, and what was found

Commands
    apply.py           apply(model, user, app, command, seq, time_us): the fold
    moment.py          who changes a model, and when
    places.py          where a command wants to change something, and whether its app may
    making.py          how evidence, components and whole models come into being
    amending.py        corrections and withdrawals
    removing.py        deleting, and forgetting everything
    granting.py        apps and what they may do
    subscribing.py     rules as part of a model: subscribed, removed, fired
    importing.py       evidence and structure from elsewhere
    checks.py          what a value, a text, a definition may be

Queries
    ask.py             plan_ask, finish_ask: a query in two steps, with the reading of evidence in between
    planning.py        what is to be read for an answer
    views.py           which components an ask is about
    contents.py        what is in a context, as far as an app may see it
    describing.py      the smaller queries
    exporting.py       a part of a model, page by page
    permissions.py     who may do what, where
    evidence.py        evidence filters
    resolvers.py       evidence to value: what a resolver is, and the latest value
    summaries.py       the resolvers that look at many pieces
    explain.py         why a value is what it is
    paging.py          how much evidence goes into one reply

Rules and definitions
    rules.py           rules: read, written, decided
    rules_grammar.py   one statement of a rule
    matching.py        regular expressions in linear time
    cron.py            cron specifications
    mdef.py            the model definition format: lines, includes, statements into definitions, and back
    mdef_grammar.py    one statement of it
"""
