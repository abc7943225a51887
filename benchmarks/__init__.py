"""How many requests, seconds and megabytes configurator takes; ``python -m benchmarks.run``."""
