"""Put a job under monitoring in one line: monitor and heartbeat."""
