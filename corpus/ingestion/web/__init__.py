"""Web sources: fetching, feeds and pages."""
