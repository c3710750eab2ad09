"""Arms, real and simulated. Never imports `teaching`."""
