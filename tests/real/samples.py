"""A small file of each type that browsers show by themselves, two seconds long if it plays.

Those that need a codec are in ``tests/data/media``, made by Debian's ffmpeg of its own pictures and
of a tone; the others are made here.
"""

import io
import struct
import wave
import zlib
from pathlib import Path

MEDIA = Path(__file__).parent.parent / "data" / "media"
SECONDS = 2
RED = b"\xff\x00\x00"


def png() -> bytes:
    """A red picture."""
    width, height = 64, 48
    rows = (b"\0" + RED * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def gif() -> bytes:
    """One red pixel."""
    colours = RED + b"\xff\xff\xff"
    screen = struct.pack("<HHBBB", 1, 1, 0x80, 0, 0)
    image = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return b"GIF89a" + screen + colours + image + b";"


def wav() -> bytes:
    """A low hum."""
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(bytes(range(96, 160)) * (8000 * SECONDS // 64))
    return sound.getvalue()


def pdf() -> bytes:
    """A page that is larger than a window, and red."""
    drawing = b"1 0 0 rg 0 0 3000 3000 re f"
    objects = (
        b"<</Type /Catalog /Pages 2 0 R>>",
        b"<</Type /Pages /Kids [3 0 R] /Count 1>>",
        b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 3000 3000] /Contents 4 0 R>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(drawing), drawing),
    )
    file, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(file))
        file += b"%d 0 obj %s endobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(file)
    file += b"xref\n0 5\n0000000000 65535 f \n" + table
    return file + b"trailer <</Size 5 /Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start


TEXT = "Plain words, naïve and 新."
PICTURES = {"picture.png": png(), "picture.gif": gif()}
SOUNDS_AND_FILMS = {"sound.wav": wav()}
for _sample in sorted(MEDIA.iterdir()):
    _group = PICTURES if _sample.stem == "picture" else SOUNDS_AND_FILMS
    _group[_sample.name] = _sample.read_bytes()
SHOWN = {**PICTURES, **SOUNDS_AND_FILMS, "paper.pdf": pdf(), "notes.txt": TEXT.encode()}


def colour_of_pixel(picture: bytes) -> bytes:
    """Return red, green and blue of a PNG of one pixel."""
    data, place = b"", 8
    while place < len(picture):
        (length,) = struct.unpack_from(">I", picture, place)
        if picture[place + 4 : place + 8] == b"IDAT":
            data += picture[place + 8 : place + 8 + length]
        place += length + 12
    # The first byte is the filter of its line, which changes nothing of a single pixel.
    return zlib.decompress(data)[1:4]
