"""An account's instances: what is asked of EC2, by what an existing one tells whose it is."""
