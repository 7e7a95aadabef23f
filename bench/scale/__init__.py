"""What many workers and many people take.

sharers.py          workers that share a log, each a process of its own
two_workers.py      CPU time of catching up by two workers, beside one
snapshots.py        beginning with snapshots, beside the log alone; moving a large partition
many_people.py      a worker that knows many people, of whom some are active
broker.py           memory of nats-server for each subject that people have in the log
"""
