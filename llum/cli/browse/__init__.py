"""`llum browse`: a model as if it were a file system, in an interactive shell and in scripts.

    lines.py                              a line becomes words
    shell.py                              where one is in the model; runs words as a command
    table.py command.py                   commands by name, and what one is made of
    commands/                             the commands
    importable.py                         files that can be imported
    show.py                               what is found, as text
    dialogue.py terminal.py completion.py a person at a terminal

A command is a click command whose function is a coroutine and gets the shell first.
"""
