"""What the library costs, beside bare httpx and healthchecks-io 0.4.4: ``nox -s bench``."""
