"""What the HOWTO's two functions of a host put on it, one recipe a file."""
