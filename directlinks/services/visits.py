"""What kind of look a visit is, by the site's own rule."""

from functools import lru_cache

from django.utils.module_loading import import_string

from directlinks.conf import conf
from directlinks.core.visits import NO_PURPOSES, Look, Visit

# No browser sends a longer one, which would only fill the memory.
_LONGEST = 512


def kind_of(look: Look, size: int) -> Visit:
    """The kind of one visit to a file of ``size`` bytes."""
    said = (look.method, look.byte_range, look.user_agent, look.referer, *look.purposes)
    judge = _judge if any(value and len(value) > _LONGEST for value in said) else _kind
    return judge(conf.VISIT_RULE, look, size, tuple(conf.PREVIEW_AGENTS))


def is_plain(look: Look) -> bool:
    """Return True if ``look`` is a download of any file."""
    return look.byte_range is None and kind_of(look, 0) is Visit.DOWNLOAD


def is_download(user_agent: str | None) -> bool:
    """Return True if a GET with ``user_agent`` and no more is a download of any file."""
    if user_agent is not None and len(user_agent) > _LONGEST:
        return kind_of(_plain_look(user_agent), 0) is Visit.DOWNLOAD
    return _is_download(conf.VISIT_RULE, user_agent, tuple(conf.PREVIEW_AGENTS))


def _plain_look(user_agent: str | None) -> Look:
    return Look("GET", purposes=NO_PURPOSES, user_agent=user_agent)


@lru_cache(maxsize=4096)
def _is_download(rule: str, user_agent: str | None, preview_agents: tuple[str, ...]) -> bool:
    return _judge(rule, _plain_look(user_agent), 0, preview_agents) is Visit.DOWNLOAD


def _judge(rule: str, look: Look, size: int, preview_agents: tuple[str, ...]) -> Visit:
    kind: Visit = import_string(rule)(look, size=size, preview_agents=preview_agents)
    return kind


# The rule decides by nothing else, and most visitors look the same.
_kind = lru_cache(maxsize=4096)(_judge)
