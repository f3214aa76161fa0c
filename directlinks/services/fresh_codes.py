"""Codes for links, none of which was ever another link's."""

from directlinks.conf import conf
from directlinks.core.codes import may_repeat
from directlinks.core.errors import DirectLinksError
from directlinks.models import DirectLink, FormerCode
from directlinks.models.links import new_codes

_TRIES = 100


def fresh_codes(number: int) -> list[str]:
    """Return ``number`` new codes, none of which is or was a link's.

    Two reads for each time they are drawn, and only where codes are so short that they may come
    back. One that becomes another link's meanwhile is for the unique index to refuse. Raises
    DirectLinksError where nearly all codes were used.
    """
    drawn = new_codes(number)
    if not may_repeat(conf.CODE_LENGTH, conf.CODE_ALPHABET):
        return drawn
    for _ in range(_TRIES):
        used = _used(drawn)
        if not used:
            return drawn
        others = iter(new_codes(sum(code in used for code in drawn)))
        drawn = [next(others) if code in used else code for code in drawn]
    raise DirectLinksError(cause="no free code was found for a link")


def _used(codes: list[str]) -> set[str]:
    used: set[str] = set()
    for model in (DirectLink, FormerCode):
        rows = model._default_manager.filter(code__in=codes)
        used.update(rows.values_list("code", flat=True))
    return used
