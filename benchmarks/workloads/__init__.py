"""The measured scripts. Each one runs in its own process, in the environment that its name ends with."""
