"""The state folder of a recovery."""
