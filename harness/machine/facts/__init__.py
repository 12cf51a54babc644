"""What a receipt says of the machine: hardware, software, threads, variables, and what passed during a span of time."""
