from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin

RULES = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "frame-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
]
POLICY = "; ".join([*RULES, "require-trusted-types-for 'script'"])
# The lists of Django's admin use jQuery, which writes HTML from text.
ADMIN_POLICY = "; ".join(RULES)


class ContentSecurityPolicyMiddleware(MiddlewareMixin):
    """Allow a page nothing but what this site serves."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        admin = request.path.startswith(reverse("admin:index"))
        response.headers.setdefault("Content-Security-Policy", ADMIN_POLICY if admin else POLICY)
        return response
