"""A whole lesson in one file that plays in anyone's browser, and that a simulated arm can go through once more."""
