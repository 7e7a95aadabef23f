"""Signing in at an outside issuer, and the identities that are linked to an account.

browser.py      the secret by which a browser is known again when it comes back
signing_in.py   to the issuer and back
registering.py  the first time: an id is chosen, account and model are made
identities.py   the list of linked identities: one more, one less
people.py       accounts, and who may have one
bounds.py       how often one address may go there
faults.py       what people read when it did not work
routes.py       all of it, added to the application
"""
