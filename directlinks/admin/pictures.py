"""QR codes, where the site has installed segno."""

from io import BytesIO

from django.utils.module_loading import import_string
from django.utils.safestring import SafeString, mark_safe

INSTALL = 'pip install "django-directlinks[qr]"'


def qr_code(text: str, title: str) -> SafeString | None:
    """``text`` as a QR code in SVG that is called ``title``; None where segno is not installed."""
    try:
        make = import_string("segno.make")
    except ImportError:
        return None
    drawn = BytesIO()
    # The quiet zone and its white are part of the code: without them a dark page is unreadable.
    make(text, micro=False).save(
        drawn,
        kind="svg",
        xmldecl=False,
        svgclass="dl-qr",
        lineclass=None,
        light="#fff",
        scale=4,
        title=title,
        omitsize=True,
        nl=False,
    )
    # All of it is written by segno, which escapes the title.
    return mark_safe(drawn.getvalue().decode().replace("<svg ", '<svg role="img" ', 1))  # noqa: S308
