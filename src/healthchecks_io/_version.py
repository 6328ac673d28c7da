"""The version, as a constant. Reading it from the installed metadata would make a cron script 5% slower."""

__version__ = "1.0.0"
