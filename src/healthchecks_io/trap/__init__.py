"""Report the runs of a job: CheckTrap and its parts."""
