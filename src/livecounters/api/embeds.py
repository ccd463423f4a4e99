"""``GET live/embed/<name>.svg``, ``.json`` and ``/``: a public counter on other sites.

No session is looked at, no cookie set, and nothing depends on one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from rest_framework.exceptions import NotFound
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from livecounters.api.base import LiveView
from livecounters.conf import options
from livecounters.embeds import ANY, Embed, embedded, origins
from livecounters.lettering import width_of

__all__ = ["EmbedBadge", "EmbedCard", "EmbedNumber"]

SIZE = 11
"""Of the letters of a badge, in pixels."""
PADDING = 6

# A badge is a picture: nothing in it may run or load.
PICTURE = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

Context = Mapping[str, Any] | None


class Badge(BaseRenderer):
    """A picture in two fields, the label and the number."""

    media_type = "image/svg+xml"
    format = "svg"
    charset = "utf-8"

    def render(self, data: Any, kind: str | None = None, context: Context = None) -> bytes:
        if data is None:
            return b""
        fields = []
        left = 0
        for text in (data.get("label", ""), data.get("text", data.get("detail"))):
            letters = round(width_of(text, SIZE))
            width = letters + 2 * PADDING
            fields.append(
                {
                    "text": text,
                    "left": str(left),
                    "width": str(width),
                    "middle": f"{left + width / 2:g}",
                    "letters": str(letters),
                }
            )
            left += width
        said = {"fields": fields, "width": str(left)}
        return render_to_string("livecounters/badge.svg", said).encode()


class Card(BaseRenderer):
    """A page for a frame: the number, which comes alive."""

    media_type = "text/html"
    format = "html"
    charset = "utf-8"

    def render(self, data: Any, kind: str | None = None, context: Context = None) -> bytes:
        if data is None:
            return b""
        assert context is not None
        view = context["view"]
        with translation.override(view.language):
            said = {
                "embed": data if "label" in data else None,
                "name": view.kwargs["name"],
                "of": context["request"].query_params.get("of"),
                "language": view.language,
                "socket": options().SOCKET_URL or "",
                "snapshot": reverse("livecounters:snapshot"),
            }
            return render_to_string("livecounters/embed.html", said).encode()


class EmbedView(LiveView):
    """A public counter that the setting EMBEDS lists, on pages of other sites."""

    authentication_classes = ()
    metadata_class = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # Nothing that a browser prefers or remembers: one answer for everybody.
        self.language = _language(request.query_params.get("lang"))
        super().initial(request, *args, **kwargs)

    def get(self, request: Request, name: str) -> Response:
        return Response(self.embed(request, name).as_json())

    def embed(self, request: Request, name: str) -> Embed:
        found = embedded(name, request.query_params.get("of"), self.language, timezone.now())
        if found is None:
            raise NotFound
        return found

    def fresh(self) -> int:
        return int(options().embeds("MAX_AGE"))

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        final["Content-Language"] = self.language
        self.let_in(request, final)
        return final

    def let_in(self, request: Request, response: Response) -> None:
        """Let scripts of the sites that are listed read it; pictures can be shown anywhere."""
        response["Cross-Origin-Resource-Policy"] = "cross-origin"
        if ANY in origins():
            response["Access-Control-Allow-Origin"] = ANY
        elif origins():
            patch_vary_headers(response, ("Origin",))
            if request.headers.get("Origin") in origins():
                response["Access-Control-Allow-Origin"] = request.headers["Origin"]


class EmbedNumber(EmbedView):
    """A public counter that the setting EMBEDS lists, for scripts of other sites."""

    def get(self, request: Request, name: str) -> Response:
        """Label, number and text; ``as=shields``: as badges of shields.io are made of."""
        found = self.embed(request, name)
        if request.query_params.get("as") == "shields":
            return Response({"schemaVersion": 1, "label": found.label, "message": found.text})
        return Response(found.as_json())


class EmbedBadge(EmbedView):
    """The same as a picture."""

    renderer_classes = (Badge,)  # type: ignore[assignment]

    def let_in(self, request: Request, response: Response) -> None:
        super().let_in(request, response)
        response["Content-Security-Policy"] = PICTURE


class EmbedCard(EmbedView):
    """The same as a page for a frame, which comes alive."""

    renderer_classes = (Card,)  # type: ignore[assignment]

    def let_in(self, request: Request, response: Response) -> None:
        """Let pages of the sites that are listed frame it, and nothing else into it than ours."""
        response["Content-Security-Policy"] = _policy()
        # The older header knows no other site than one's own.
        if origins():
            response.xframe_options_exempt = True
        else:
            response["X-Frame-Options"] = "SAMEORIGIN"


def _language(asked: str | None) -> str:
    try:
        return translation.get_supported_language_variant(asked or settings.LANGUAGE_CODE)
    except LookupError:
        return settings.LANGUAGE_CODE


def _policy() -> str:
    """What a card may load, and who may frame it."""
    files = urlsplit(static(""))
    ours = f"'self' {files.scheme}://{files.netloc}" if files.netloc else "'self'"
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {ours}",
            f"style-src {ours}",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            " ".join(["frame-ancestors 'self'", *origins()]),
        ]
    )
