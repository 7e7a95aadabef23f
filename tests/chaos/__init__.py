"""Many hosts under faults: three nats-servers, three workers, two edges, each a process, and the links between them."""
