"""Which secrets file, which csv rows, which product belong to a log."""
