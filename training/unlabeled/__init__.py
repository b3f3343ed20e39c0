"""Learning from unlabeled articles: the pool, and the tags that teachers give to its words."""
