"""Delete the files that doccano's worker leaves behind: uploads after their import, old exports.

doccano keeps both for ever. An import into a text project has stored all of its file in the
database; files of image projects are the examples themselves. Uploads whose import no worker has
finished are deleted after a day.
"""

import re
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

TEXT_TASKS = {
    "DocumentClassification",
    "IntentDetectionAndSlotFilling",
    "Seq2seq",
    "SequenceLabeling",
}
EXPORT_SECONDS = 3600
"""How long an export can be downloaded: orbat does so at once, and a person after a click."""
_STALE = timedelta(days=1)
"""The age of an upload whose import was never finished, as its worker was killed."""
_EXPORT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.zip")


def delete_leftovers(sender: Any, kwargs: dict[str, Any], state: str, **_: Any) -> None:
    """Delete what the worker needs no more after a task."""
    from django.conf import settings

    media = Path(settings.MEDIA_ROOT)
    task = sender.name.rpartition(".")[2]
    if task == "export_dataset":
        delete_old_exports(media)
    if task == "import_dataset":
        _delete_stale_uploads()
    if task == "import_dataset" and state != "RETRY" and kwargs.get("task") in TEXT_TASKS:
        _delete_uploads(media, kwargs["upload_ids"])


def delete_old_exports(media: Path) -> None:
    """Delete the exports that nobody downloads any more."""
    for path in media.iterdir():
        if _EXPORT.fullmatch(path.name) and path.stat().st_mtime < time.time() - EXPORT_SECONDS:
            path.unlink(missing_ok=True)


def _delete_stale_uploads() -> None:
    from django.utils import timezone
    from django_drf_filepond.models import TemporaryUpload

    TemporaryUpload.objects.filter(uploaded__lt=timezone.now() - _STALE).delete()


def _delete_uploads(media: Path, upload_ids: list[str]) -> None:
    from django_drf_filepond.models import StoredUpload, TemporaryUpload

    for upload in StoredUpload.objects.filter(upload_id__in=upload_ids):
        path = media / upload.file.name
        upload.delete()
        path.unlink(missing_ok=True)
    # Those of an import that failed; their files go with them.
    TemporaryUpload.objects.filter(upload_id__in=upload_ids).delete()
