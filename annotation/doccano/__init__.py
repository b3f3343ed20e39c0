"""doccano: REST client, local server and its installation."""
