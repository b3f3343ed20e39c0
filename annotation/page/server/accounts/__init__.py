"""Invitations to choose a password, and changes of passwords by administrators."""
