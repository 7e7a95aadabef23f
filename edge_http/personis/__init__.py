"""The face of the original Personis server, so that its clients work unchanged: `POST /<op>` with a JSON body.

    routes.py     from a request to its operation and back; access, tell and ask
    structure.py  contexts, components, views, resolvers and goals
    apps.py       apps, their permissions and passwords
    rules.py      rules, which the original calls subscriptions
    exporting.py  export_model
    importing.py  import_model
    caller.py     one call: who makes it, and the way to the bus on their behalf
    passwords.py  who calls, when it is a simple device with a password
    calls.py      what the bodies of the calls may hold
    requests.py   body to command or query; what spellings are accepted
    render.py     outcome or reply to the JSON that the original clients read
    evidence.py   the pages of a component's evidence, put together

Its rules, learned from the original's own clients: they ignore the HTTP status except 401 and 403, take any answer
without `result` for success, and unpickle the third item of an error of three. So an operation's refusal is status 200
with an error of four items, every failure says `"result": "error"`, and 403 is never used. Only for a simple device,
whose client looks at nothing but the status, every failure has a status of its own, and what is denied is 401.
"""
