"""Many hosts under faults: three nats-servers and three workers, each a process, are killed and stopped at random."""
