"""What is believed of what was read: judges, each a pure function in a file of its own."""
