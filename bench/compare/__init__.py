"""CPU per operation of two checkouts of llum, measured in turn on one machine.

The time that operations take says little on a busy machine; the CPU time that they cost still does. It is read from the
operating system's accounting, of every process of llum and all its threads, and never the load generator's own.

cli.py          which checkouts and how many rounds, and the table
    rounds.py       one round: every operation on both checkouts in turn
    house.py        one checkout's llum with people in it, made and run by that checkout's own code
    load.py         a fixed number of operations, the same requests for both
    checkout.py     a folder or a commit, and how its programs are run
"""
