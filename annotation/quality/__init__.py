"""The quality of annotators on known gold: control documents and qualification."""
