"""Reading of files that others wrote: bounds, the boundary around articles, JSON arrays."""
