"""An account is a bucket: its logs, their roles, its servers, its identities, its settled values."""
