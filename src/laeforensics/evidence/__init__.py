"""The files: found, recognised, unpacked, converted back, kept in custody."""
