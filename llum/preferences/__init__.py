"""Preferences that programs reach by a key, as the operator sees them, without a word about how it is shown.

files.py    files of documents, read and checked
loading.py  all documents of them stored, and how far that has got
putting.py  one document stored
dumping.py  all documents written
stored.py   documents of keys and programs, and what llum stores of them
safes.py    safes that are models of their own
keys.py     one key, looked at and revoked
many.py     many requests at a time
"""
