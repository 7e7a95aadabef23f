"""The face of the original Personis server, so that its clients work unchanged: `POST /<op>` with a JSON body.

    requests.py   body to command or query; what spellings are accepted
    render.py     outcome or reply to the JSON that the original clients read
    evidence.py   the pages of a component's evidence, put together
    routes.py     the operations

Its rules, learned from the original's own clients: they ignore the HTTP status except 401 and 403, take any answer
without `result` for success, and unpickle the third item of an error of three. So an operation's refusal is status 200
with an error of four items, every failure says `"result": "error"`, and 403 is never used.
"""
