"""Learning methods: one file per method, holding its Policy and its Learner."""
