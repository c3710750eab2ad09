"""The few pieces of JavaScript, each behind one Python function."""
