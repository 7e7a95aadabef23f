"""Who reaches preferences by a key: keys, the credentials of programs, and the tokens that both give.

store.py        the bucket with all of it, and what is read of it, kept while nobody changes it
keys.py         whose model a key opens, at which place, and as which app
joining.py      how a safe becomes a part of a person's model
join_notes.py   who works on that, and how far it is
credentials.py  programs, and what each shows who it is with
ip_blocks.py    from which addresses it may come
key_tokens.py   what it gets for a key
"""
