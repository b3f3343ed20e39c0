"""doccano's addresses, and what orbat adds to its API."""

from config.urls import urlpatterns as doccano_patterns
from django.urls import path

from .work import ProjectWork

urlpatterns = [
    path("v1/projects/<int:project_id>/orbat-work", ProjectWork.as_view()),
    # The last of them matches every address.
    *doccano_patterns,
]
