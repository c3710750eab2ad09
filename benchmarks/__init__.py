"""Each figure of the README, as a script that prints it."""
