"""The first page, and a person's model as they see it: contexts, values, and why each is what it is. Read only.

reading.py   asks for what a page shows, as the person's own app
values.py    how a value is shown
why.py       how it is said why a value is what it is
routes.py    the addresses
"""
