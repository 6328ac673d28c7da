"""Benchmarks of the library against bare httpx and healthchecks-io 0.4.4: ``nox -s bench``."""
