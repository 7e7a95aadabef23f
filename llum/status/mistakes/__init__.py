"""What operators get wrong most often, found one by one.

here.py         on this machine: settings, files, the disk, processes
on_the_bus.py   in nats-server: who is let in, mappings, streams, limits, the clock
workers.py      among workers and snapshots
"""
