"""The sample files of the demo, made here so that nothing binary lies in the repository."""

import struct
import zlib
from collections.abc import Iterator

NOTES = "旅行 notes (été).txt"
PICTURE = "photos/gradient.png"
REPORT = "reports/report.pdf"
LIST = "shopping list.txt"

_NOTES_TEXT = """\
旅行 · notes · été
Blanks, brackets and accents in a name are no trouble: a link spells them as %XX,
and a visitor who saves the file gets the name back as it was.
"""


def alices_files() -> dict[str, bytes]:
    """Contents by path: a text, a picture that takes a moment to download, and a document."""
    return {
        NOTES: _NOTES_TEXT.encode(),
        PICTURE: png_gradient(640, 480),
        REPORT: pdf_page("A report that Alice shares, and then no longer shares."),
    }


def bobs_files() -> dict[str, bytes]:
    return {LIST: b"Apples\nBread\nCheese\n"}


def png_gradient(width: int, height: int) -> bytes:
    """A picture from blue to yellow. Its pixels are stored, not compressed, so that it is large."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits each of R, G and B
    pixels = b"".join(_png_row(width, y * 255 // height) for y in range(height))
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _png_chunk(b"IHDR", header),
            _png_chunk(b"IDAT", zlib.compress(pixels, level=0)),
            _png_chunk(b"IEND", b""),
        )
    )


def _png_row(width: int, green: int) -> bytes:
    unfiltered = b"\x00"
    reds = (x * 255 // width for x in range(width))
    return unfiltered + b"".join(bytes((red, green, 255 - green)) for red in reds)


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pdf_page(line: str) -> bytes:
    """One A4 page with one ``line`` of ASCII text that has no brackets."""
    drawing = f"BT /F1 20 Tf 56 760 Td ({line}) Tj ET".encode("ascii")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawing), drawing),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Font << /F1 5 0 R >> >>",
    )
    return b"".join(_pdf_parts(objects))


def _pdf_parts(objects: tuple[bytes, ...]) -> Iterator[bytes]:
    """Header, objects, and the table that tells at which byte each object begins."""
    position = 0
    table = [b"0000000000 65535 f \n"]
    header = b"%PDF-1.4\n"
    yield header
    position += len(header)
    for number, content in enumerate(objects, 1):
        table.append(b"%010d 00000 n \n" % position)
        part = b"%d 0 obj\n%s\nendobj\n" % (number, content)
        yield part
        position += len(part)
    size = len(table)
    yield b"xref\n0 %d\n%s" % (size, b"".join(table))
    yield b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, position)
