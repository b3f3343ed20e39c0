"""Changes of who works in a session, and of who reads what."""
