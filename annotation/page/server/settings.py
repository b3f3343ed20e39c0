"""doccano's Django settings, and what keeps its data from others."""

import os
from pathlib import Path

from celery.signals import task_postrun
from config.settings import production
from config.settings.production import *  # noqa: F403

from .leftovers import delete_leftovers

task_postrun.connect(delete_leftovers)

_HOME = Path(os.environ["DOCCANO_HOME"])

# doccano keeps uploads among its code, and Django makes them readable by everybody.
DJANGO_DRF_FILEPOND_UPLOAD_TMP = str(_HOME / "uploads")
DJANGO_DRF_FILEPOND_ALLOW_EXTERNAL_UPLOAD_DIR = True
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700

# A page whose name is made to lead to this machine is not doccano's.
ALLOWED_HOSTS = [
    *("127.0.0.1", "localhost", "[::1]"),
    *filter(None, map(str.strip, os.environ.get("ORBAT_DOCCANO_HOSTS", "").split(","))),
]
CORS_ORIGIN_ALLOW_ALL = False

# SQLite has one writer at a time; the others wait for as long as a browser waits for an answer.
_DATABASE = production.DATABASES["default"]
if _DATABASE["ENGINE"].endswith("sqlite3"):
    _DATABASE.setdefault("OPTIONS", {})["timeout"] = 20

# On a busy machine, the worker may need longer than the 3 seconds that its check allows.
HEALTHCHECK_CELERY_RESULT_TIMEOUT = HEALTHCHECK_CELERY_QUEUE_TIMEOUT = 10

# The address that annotators open. Only with TLS there is a server in front that says how it was
# reached; a browser must then send neither cookie without encryption.
_ORIGIN = os.environ.get("ORBAT_DOCCANO_ORIGIN", "")
_HAS_TLS = _ORIGIN.startswith("https:")
# Only then a server in front may say whose request it passes on; else, anybody here could.
HAS_PUBLIC_ADDRESS = bool(_ORIGIN)
CSRF_TRUSTED_ORIGINS = [_ORIGIN] if _ORIGIN else []
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _HAS_TLS else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HAS_TLS

ROOT_URLCONF = "server.urls"

# Wrong passwords are slowed down.
AUTHENTICATION_BACKENDS = ["server.login_limit.LoginLimit", *production.AUTHENTICATION_BACKENDS]
MIDDLEWARE = [
    *production.MIDDLEWARE,
    "server.login_limit.RefusedLogins",
    "server.media_access.PrivateMedia",
]

# Without these, anybody can fill the disk, or let doccano fetch addresses of its own network.
_LOGGED_IN = "rest_framework.permissions.IsAuthenticated"
DJANGO_DRF_FILEPOND_PERMISSION_CLASSES = {
    "POST_PROCESS": [_LOGGED_IN],
    "PATCH_PATCH": [_LOGGED_IN],
    "DELETE_REVERT": [_LOGGED_IN],
    "GET_LOAD": [_LOGGED_IN],
    "GET_RESTORE": [_LOGGED_IN],
    "GET_FETCH": ["rest_framework.permissions.IsAdminUser"],
}
