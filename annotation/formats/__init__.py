"""Reading and writing annotated corpora in other formats: one module per format."""
