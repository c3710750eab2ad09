"""Hardware that is not there: boards and servos that answer with the real bytes, on a pseudo-terminal."""
