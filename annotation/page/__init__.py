"""The annotation page: files for the browser, and the servers that serve them."""
