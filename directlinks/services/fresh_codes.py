"""Codes for links, none of which was ever another link's."""

from django.db import router

from directlinks.conf import conf
from directlinks.core.codes import may_repeat
from directlinks.core.errors import DirectLinksError
from directlinks.models import FormerCode
from directlinks.models.links import new_codes

_TRIES = 100


def fresh_codes(number: int) -> list[str]:
    """So many new codes, of which none is among the former ones.

    One read for each time they are drawn, and only where codes are so short that they may come
    back. The code of a link that still has it is for the unique index to refuse. Raises
    DirectLinksError where nearly all codes were used.
    """
    drawn = new_codes(number)
    if not may_repeat(conf.CODE_LENGTH, conf.CODE_ALPHABET):
        return drawn
    for _ in range(_TRIES):
        former = _former(drawn)
        if not former:
            return drawn
        others = iter(new_codes(sum(code in former for code in drawn)))
        drawn = [next(others) if code in former else code for code in drawn]
    raise DirectLinksError(cause="no free code was found for a link")


def _former(codes: list[str]) -> set[str]:
    rows = FormerCode.objects.using(router.db_for_write(FormerCode)).filter(code__in=codes)
    return {str(code) for code in rows.values_list("code", flat=True)}
