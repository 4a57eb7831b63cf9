"""What tests, demo and benchmarks share: a daemon of their own, clients for it, networks and servers around it."""
