"""Accounts: people who sign in by themselves, and by what llum knows them.

account.py      what an account is
store.py        accounts in their bucket: found, made, changed, erased
models.py       the model that comes with an account
joining.py      who may sign up
links.py        one-time links
passwords.py    what may be a password, and whether one is right
passkeys.py     passkeys, with ceremonies.py (the library) and challenges.py (what is signed, once)
recovery.py     codes for whoever has lost the others
events.py       what is done to an account, in the record of who asked
"""
