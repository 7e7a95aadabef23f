"""The preferences service: portable preferences by key, in any ontology. They are kept in models, as all else.

    routes.py   the paths
    reading.py  GET
    writing.py  PUT, POST and PATCH
    putting.py  a body is checked, and becomes one command
    reached.py  whose preferences a request reaches, and as which app
    changes.py  the live feed of what changes
    what_changed.py   what an event of a worker says about a safe
    feeds.py    how many feeds there are
    asked.py    what the address says: key, ontology, time
    bodies.py   what the body says, as JSON
    forms.py    and as a form
    answers.py  answers and errors as clients of the original service know them
    face.py     what all requests share: ontologies, openness, answers made lately

The edge decides nothing about a model here either. What it knows of ontologies is pure: from a body to what says the
same elsewhere, and from what a worker has put together to one ontology.
"""
