"""Letting apps in: an app asks at `/authorize`, and its person decides on the page of consent.

authorize.py   `/authorize`: judges what a client asks for, and keeps the question
throttling.py  how often it may be asked
leading.py     the way back to the client
asking.py      finds the question, whose answer it is, and whether it may still be answered
ground.py      what the page must know of the model before anything is chosen
choices.py     what a person has chosen, and the grant that follows from it
until.py       until when, by the person's clock
covering.py    what an app has already of what it asks for
sameness.py    whether a grant is what the page has shown
wording.py     what a slice means, in plain words
seeming.py     names that look like others'
looking.py     the real values, each under the slice that it comes by
showing.py     the page
deciding.py    stores the decision, and leads back to the app
faults.py      what people read when an app cannot be let in
routes.py      the addresses
"""
