"""Temporary users: whoever tries llum without an account.

users.py    they get a model with small quotas, and are forgotten when their time is over
moving.py   what they have done becomes that of the account which they make
"""
