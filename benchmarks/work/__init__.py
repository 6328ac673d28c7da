"""The work that is measured: each script is a process of its own, in the environment that its name ends with."""
