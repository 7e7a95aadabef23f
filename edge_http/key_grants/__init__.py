"""What programs of the preferences service get for a key that a person has given them.

posted.py     what they send, as a form or as JSON
granting.py   `/access_token`: a token for the key
settings.py   `/:key/settings`, which such a token opens
"""
