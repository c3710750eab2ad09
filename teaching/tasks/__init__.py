"""The goals, success tests and scripted teachers of the built-in tasks."""
