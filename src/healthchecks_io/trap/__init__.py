"""Reports the runs of a job: CheckTrap, and what it is made of."""
