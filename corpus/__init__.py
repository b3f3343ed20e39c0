"""Raw articles become clean, deduplicated documents."""
