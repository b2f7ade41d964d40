"""Files in and out: bytes to typed rows by a profile, and rows to bytes. Knows nothing of the database."""
