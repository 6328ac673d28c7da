"""Put the jobs of a crontab under monitoring: parse it, name its jobs, and rewrite their lines."""
