"""The sample files are what their names say."""

import re
import struct
import unicodedata
import zlib
from collections.abc import Iterator

from directlinks.core import paths
from example_project.samples import alices_files, bobs_files, pdf_page, png_gradient


def png_chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 8
    while position < len(png):
        (length,) = struct.unpack_from(">I", png, position)
        kind_and_data = png[position + 4 : position + 8 + length]
        (checksum,) = struct.unpack_from(">I", png, position + 8 + length)
        assert checksum == zlib.crc32(kind_and_data)
        yield kind_and_data[:4], kind_and_data[4:]
        position += 12 + length


def test_every_path_may_be_stored_and_is_spelled_in_the_usual_form() -> None:
    for path in [*alices_files(), *bobs_files()]:
        assert paths.fault(path) is None
        assert unicodedata.normalize("NFC", path) == path


def test_the_picture_is_a_whole_png() -> None:
    png = png_gradient(3, 2)
    chunks = dict(png_chunks(png))
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    assert chunks[b"IHDR"] == struct.pack(">IIBBBBB", 3, 2, 8, 2, 0, 0, 0)
    assert zlib.decompress(chunks[b"IDAT"]) == (
        b"\x00" + bytes([0, 0, 255, 85, 0, 255, 170, 0, 255])
        + b"\x00" + bytes([0, 127, 128, 85, 127, 128, 170, 127, 128])
    )  # fmt: skip


def test_the_picture_of_the_demo_is_large_enough_to_be_worth_resuming() -> None:
    assert max(map(len, alices_files().values())) > 900_000


def test_the_table_of_the_pdf_leads_to_its_objects() -> None:
    pdf = pdf_page("Hello")
    (start,) = re.findall(rb"startxref\n(\d+)\n%%EOF\n\Z", pdf)
    table = pdf[int(start) :]
    places = [int(place) for place in re.findall(rb"(\d{10}) 00000 n \n", table)]
    beginnings = [pdf[place:].partition(b" obj\n")[0] for place in places]
    assert pdf.startswith(b"%PDF-1.4\n")
    assert table.startswith(b"xref\n0 7\n0000000000 65535 f \n")
    assert beginnings == [b"%d 0" % number for number in range(1, 7)]


def test_the_pdf_says_how_long_its_drawing_is() -> None:
    pdf = pdf_page("Hello")
    ((length, drawing),) = re.findall(rb"/Length (\d+) >>\nstream\n(.*)\nendstream", pdf)
    assert int(length) == len(drawing)
    assert b"(Hello) Tj" in drawing
