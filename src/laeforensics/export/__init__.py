"""What is handed on: the manifest, tables, facts for other programs."""
