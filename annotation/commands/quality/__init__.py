"""Commands and options for the quality of annotators on known gold."""
