"""The server side of the annotation page, in the standard library alone.

doccano's Python environment imports this package, which has no orbat.
"""
