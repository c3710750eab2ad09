"""Pages draw a frozen view and forward one intent."""
