"""Character encodings: what a source declares, and how its bytes are decoded."""
