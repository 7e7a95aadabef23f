"""A person's page with their preferences, in plain words: `/my-preferences`.

routes.py    the addresses
reading.py   asks for what is there, as the person's own app: values, who set them, what they were before
words.py     how a setting is named, and with which it stands together
controls.py  by what a value is changed: a box, a list, a number, a text
saving.py    a change, or that something is unset
joining.py   a key becomes a part of one's preferences
"""
