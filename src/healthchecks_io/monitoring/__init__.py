"""Monitor a job or a program in one line: monitor and heartbeat."""
