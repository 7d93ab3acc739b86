"""Which instance is asked for an account, and by what one tells whose it is."""
