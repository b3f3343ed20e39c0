"""Sessions that go elsewhere: backup and restore, a server's new address, a new session."""
