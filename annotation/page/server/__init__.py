"""The server side of the annotation page, and doccano's settings and logins.

doccano's Python environment imports this package. It has no orbat: the package needs only the
standard library and doccano's own libraries, and the page only the former.
"""
