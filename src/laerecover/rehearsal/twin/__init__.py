"""The twin: a world in one file, for drills and tests, honest enough to be wrong."""
