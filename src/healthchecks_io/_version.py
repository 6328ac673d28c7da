"""The version, as a constant: looking it up in the installed metadata would cost a cron script 5 % of its time."""

__version__ = "1.0.0"
