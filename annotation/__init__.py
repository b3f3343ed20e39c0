"""Documents go out to annotators and come back as gold."""
