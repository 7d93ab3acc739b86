"""What stands on a host: its programs, its keys, what is put there."""
