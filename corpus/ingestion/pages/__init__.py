"""Web pages: from markup to the text of the article."""
