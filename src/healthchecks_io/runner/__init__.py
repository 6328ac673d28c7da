"""Run a command as a monitored job: start it, pass on its output and signals, and report it in the background.

Nothing here imports httpx or pydantic before the command is running.
"""
