"""Web sources: pages and feeds."""
