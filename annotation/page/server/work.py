"""`GET /v1/projects/PROJECT/orbat-work`: spans and confirmations of many examples in one answer."""

from examples.models import Example
from examples.serializers import ExampleStateSerializer
from labels.serializers import SpanSerializer
from projects.permissions import IsProjectAdmin
from rest_framework import generics, serializers
from rest_framework.permissions import IsAuthenticated


class WorkSerializer(serializers.ModelSerializer):
    """The spans and confirmations of an example, as doccano's lists of one example have them."""

    spans = SpanSerializer(many=True)
    states = ExampleStateSerializer(many=True)

    class Meta:
        """The model and its fields."""

        model = Example
        fields = ("id", "spans", "states")


class ProjectWork(generics.ListAPIView):
    """A paged list for the project's administrators, who may export the same."""

    permission_classes = (IsAuthenticated & IsProjectAdmin,)
    serializer_class = WorkSerializer
    swagger_schema = None

    def get_queryset(self):  # type: ignore[no-untyped-def]
        """Return the examples without their texts, in the order of their ids."""
        examples = Example.objects.filter(project=self.kwargs["project_id"]).order_by("id")
        return examples.only("id").prefetch_related("spans", "states")
