"""The page on which an invited person chooses a password: HTML without scripts."""

from __future__ import annotations

import html
import time
from collections.abc import Iterable

from ..responses import SECURITY_HEADERS, Headers
from .invitations import Invitation

PAGE_HEADERS: Headers = [
    (name, value.replace("form-action 'none'", "form-action 'self'"))
    for name, value in SECURITY_HEADERS
    if name == "Content-Security-Policy"
]

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/orbat/static/page.css">
<link rel="stylesheet" href="/orbat/static/invitation.css">
</head>
<body>
<main>
<h1>{title}</h1>
{content}
</main>
</body>
</html>
"""

_FORM = """<p>Your name for the login is <strong>{name}</strong>. This link works once,
until {until}.</p>
{errors}<form method="post">
<input type="text" name="username" autocomplete="username" value="{name}" readonly hidden>
<label>Password
<input type="password" name="password" autocomplete="new-password" minlength="8" required autofocus>
</label>
<label>The same again
<input type="password" name="again" autocomplete="new-password" minlength="8" required>
</label>
<p class="quiet">At least 8 characters, not only digits, and not a common password.</p>
<button type="submit" class="primary">Set the password</button>
</form>"""


def render_form(invitation: Invitation, errors: Iterable[str] = ()) -> str:
    """Return the page with the form, and why the last password was refused."""
    lines = "".join(f"<li>{html.escape(error)}</li>\n" for error in errors)
    content = _FORM.format(
        name=html.escape(invitation.username),
        until=time.strftime("%d %B %Y, %H:%M UTC", time.gmtime(invitation.expires)),
        errors=f'<ul class="failure" role="alert">\n{lines}</ul>\n' if lines else "",
    )
    return _PAGE.format(title="Choose your password", content=content)


def render_done(invitation: Invitation) -> str:
    """Return the page after the password was set, with the way to the first document."""
    content = (
        f"<p>Log in as <strong>{html.escape(invitation.username)}</strong> with it.</p>\n"
        f'<p><a href="{invitation.start or "/projects"}">Go to your documents</a></p>'
    )
    return _PAGE.format(title="Your password is set", content=content)


def render_closed() -> str:
    """Return the page of a link that works no longer."""
    content = (
        "<p>It was used, it expired, a newer one replaced it, or a password was set for you. "
        "Ask for a new link.</p>"
    )
    return _PAGE.format(title="This link does not work any longer", content=content)
