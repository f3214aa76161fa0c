"""Cells of a CSV file that a spreadsheet takes for text, whatever is in them.

A spreadsheet computes a cell that begins like a formula, and a formula can run programs and send
the other cells away (OWASP, "CSV Injection"). An apostrophe in front keeps it text. A cell that
begins with one itself gets another, so that every text can be had back.
"""

# Full width, too, as Excel reads them in Japanese.
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_MARK = "'"
_TROUBLE = ("\t", "\r", "\n", _MARK)


def escaped(text: str) -> str:
    """``text`` as a cell that no spreadsheet computes."""
    begins = text.lstrip().startswith(_FORMULA) or text.startswith(_TROUBLE)
    return _MARK + text if begins else text


def unescaped(cell: str) -> str:
    """The text that was ``escaped``."""
    return cell.removeprefix(_MARK)
