"""Envelopes on their way out."""

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer

from directlinks.core import envelope


class EnvelopeRenderer(BaseRenderer):
    """Writes the envelopes that our views return."""

    media_type = "application/json"
    format = "json"
    charset = "utf-8"

    def render(
        self,
        data: envelope.Envelope,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return envelope.encode(data)
