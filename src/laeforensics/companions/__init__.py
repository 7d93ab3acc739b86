"""What lies beside the logs: secrets files, csv files, the configuration, a saved inventory."""
