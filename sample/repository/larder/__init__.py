"""What is in the pantry, what expires, and what to buy."""

__version__ = "1.4.2"
