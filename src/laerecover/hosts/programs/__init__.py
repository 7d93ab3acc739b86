"""Programs that run on hosts, sent as they stand."""
