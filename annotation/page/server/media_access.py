"""doccano's uploads and exports, for those who are logged in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpResponseForbidden


class PrivateMedia:
    """Middleware that refuses requests for files without a login; doccano answers them."""

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self._get_response = get_response

    def __call__(self, request: Any) -> Any:
        """Answer a request."""
        if request.path.startswith(settings.MEDIA_URL) and not request.user.is_authenticated:
            return HttpResponseForbidden("Log in to see this file.\n", "text/plain; charset=utf-8")
        return self._get_response(request)
