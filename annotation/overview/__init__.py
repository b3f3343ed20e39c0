"""The overview of a session for its lead: progress, pace, quality, agreement, cost."""
