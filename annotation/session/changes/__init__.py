"""Changes to a session that runs: rulings, labels and suggestions."""
