"""A log's bytes become facts, by a grammar."""
