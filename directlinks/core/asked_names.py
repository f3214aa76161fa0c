"""The name in the address of a link, as it arrives from mail, chats and other file systems.

Programs that make links clickable take punctuation behind an address for part of it, and some file
systems spell accents apart from their letters. Neither makes another file of it.
"""

from unicodedata import normalize

from directlinks.core import codes

# The punctuation that ends sentences, brackets and quotations, in ASCII, in typographic forms, and
# as it is written in Chinese, Japanese, Arabic and Hindi.
BEHIND = frozenset(
    ".,;:!?)]}>'\"/"
    "\u2018\u2019\u201c\u201d\u2026\u00ab\u00bb\u2039\u203a"
    "\u3001\u3002\u3009\u300b\u300d\u300f\u3011\u3015"
    "\uff01\uff02\uff07\uff09\uff0c\uff0e\uff0f\uff1a\uff1b\uff1e\uff1f\uff3d\uff5d\uff61\uff63\uff64"
    "\u060c\u061b\u061f\u0964"
)


def is_name_of(asked: str, name: str, code: str) -> bool:
    """Return True if a visitor who asks for ``asked`` behind ``code`` means the file ``name``.

    One final slash never matters. A short code asks for the exact name, which helps to keep its
    link from being guessed.
    """
    if asked.removesuffix("/") == name:
        return True
    if len(code) < codes.SHORT:
        return False
    asked, name = normalize("NFC", asked), normalize("NFC", name)
    return asked.startswith(name) and BEHIND.issuperset(asked[len(name) :])
