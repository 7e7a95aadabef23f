"""The clients of the installation, as administrators see and change them.

administrators.py  who may come here
page.py            /list_clients
described.py       what a form says of a client
icons.py           icons: taken from administrators, shown to everybody
original.py        the same for programs of the original: /list_clients_json, _put, _save
routes.py          all of it, added to the application
"""
