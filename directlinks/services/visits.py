"""What kind of look a visit is, by the site's own rule."""

from functools import lru_cache

from django.utils.module_loading import import_string

from directlinks.conf import conf
from directlinks.core.visits import NO_PURPOSES, Look, Visit


def kind_of(look: Look, size: int) -> Visit:
    """The kind of one visit to a file of ``size`` bytes."""
    return _kind(conf.VISIT_RULE, look, size, tuple(conf.PREVIEW_AGENTS))


def is_plain(look: Look) -> bool:
    """Whether ``look`` is a download whatever file it is of."""
    return look.byte_range is None and kind_of(look, 0) is Visit.DOWNLOAD


def is_download(user_agent: str | None) -> bool:
    """Whether a GET that says no more than ``user_agent`` is one, whatever file it is of."""
    return _is_download(conf.VISIT_RULE, user_agent, tuple(conf.PREVIEW_AGENTS))


@lru_cache(maxsize=4096)
def _is_download(rule: str, user_agent: str | None, preview_agents: tuple[str, ...]) -> bool:
    look = Look("GET", purposes=NO_PURPOSES, user_agent=user_agent)
    return _kind(rule, look, 0, preview_agents) is Visit.DOWNLOAD


# The rule decides by nothing else, and most visitors look the same.
@lru_cache(maxsize=4096)
def _kind(rule: str, look: Look, size: int, preview_agents: tuple[str, ...]) -> Visit:
    kind: Visit = import_string(rule)(look, size=size, preview_agents=preview_agents)
    return kind
