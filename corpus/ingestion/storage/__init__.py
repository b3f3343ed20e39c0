"""The corpus on disk: its files, its index, and how documents are added to them."""
