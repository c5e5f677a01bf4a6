class LarderError(Exception):
    """Something the user can put right; the message says what."""
