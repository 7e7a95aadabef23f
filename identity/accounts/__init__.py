"""Accounts: people who sign in by themselves, and by what llum knows them.

account.py    what an account is
store.py      accounts in their bucket: found, made, changed, erased
models.py     the model that comes with an account
"""
