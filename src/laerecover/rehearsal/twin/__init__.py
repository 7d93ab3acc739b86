"""The twin: a world in one file, for drills, for tests; honest enough to be wrong."""
