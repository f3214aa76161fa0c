"""What kind of look a visit is, by the shape of its request."""

import pytest

from directlinks.core.visits import PREVIEW_AGENTS, Look, Visit, classify

SIZE = 100
SLACK = "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def kind_of(look: Look) -> Visit:
    return classify(look, size=SIZE, preview_agents=PREVIEW_AGENTS)


@pytest.mark.parametrize(
    ("look", "visit"),
    [
        (Look("GET"), Visit.DOWNLOAD),
        (Look("GET", user_agent=FIREFOX), Visit.DOWNLOAD),
        (Look("GET", user_agent=""), Visit.DOWNLOAD),
        (Look("GET", "bytes=0-"), Visit.DOWNLOAD),
        (Look("GET", "bytes=0-0"), Visit.DOWNLOAD),
        (Look("GET", "bytes=-100"), Visit.DOWNLOAD),
        (Look("GET", "bytes=-1000"), Visit.DOWNLOAD),
        (Look("GET", "bytes=1-"), Visit.CONTINUATION),
        (Look("GET", "bytes=-99"), Visit.CONTINUATION),
        (Look("GET", "bytes=50-60"), Visit.CONTINUATION),
        (Look("GET", "bytes=100-"), Visit.CONTINUATION),
        # These are answered with the whole file.
        (Look("GET", "bytes=50-60,70-80"), Visit.DOWNLOAD),
        (Look("GET", "bytes=60-50"), Visit.DOWNLOAD),
        (Look("GET", "nonsense"), Visit.DOWNLOAD),
        (Look("GET", purposes=("prefetch",)), Visit.PREVIEW),
        (Look("GET", purposes=("prefetch;prerender",)), Visit.PREVIEW),
        (Look("GET", purposes=("Prefetch; anonymous-client-ip",)), Visit.PREVIEW),
        (Look("GET", purposes=(None, "preview")), Visit.PREVIEW),
        (Look("GET", purposes=("", "PRERENDER")), Visit.PREVIEW),
        (Look("GET", purposes=(None, "")), Visit.DOWNLOAD),
        (Look("GET", purposes=("navigate", "prefetcher")), Visit.DOWNLOAD),
        (Look("GET", user_agent=SLACK), Visit.PREVIEW),
        (Look("GET", user_agent="WHATSAPP/2.23"), Visit.PREVIEW),
        (Look("GET", "bytes=50-", user_agent=SLACK), Visit.PREVIEW),
        (Look("GET", "bytes=50-", purposes=("prefetch",)), Visit.PREVIEW),
        (Look("HEAD"), Visit.HEAD),
        (Look("HEAD", "bytes=50-", ("prefetch",), SLACK), Visit.HEAD),
    ],
)
def test_a_visit_is_classified(look: Look, visit: Visit) -> None:
    assert kind_of(look) == visit


@pytest.mark.parametrize("agent", PREVIEW_AGENTS)
def test_each_known_previewer_is_recognised_in_any_case(agent: str) -> None:
    assert kind_of(Look("GET", user_agent=f"Mozilla/5.0 {agent.title()}/1.0")) == Visit.PREVIEW


def test_the_previewers_are_an_argument() -> None:
    look = Look("GET", user_agent="MyPreviewer/1.0")
    assert classify(look, size=SIZE, preview_agents=["MYpreview"]) == Visit.PREVIEW
    assert classify(look, size=SIZE, preview_agents=[]) == Visit.DOWNLOAD


@pytest.mark.parametrize("byte_range", ["bytes=0-", "bytes=5-", "bytes=-1"])
def test_an_empty_file_has_no_continuation(byte_range: str) -> None:
    look = Look("GET", byte_range)
    assert classify(look, size=0, preview_agents=()) == Visit.DOWNLOAD


@pytest.mark.parametrize(
    ("visit", "unlimited", "limited"),
    [
        (Visit.DOWNLOAD, True, True),
        (Visit.CONTINUATION, False, True),
        (Visit.PREVIEW, False, False),
        (Visit.HEAD, False, False),
    ],
)
def test_a_visit_counts(visit: Visit, unlimited: bool, limited: bool) -> None:
    assert visit.counts(limited=False) is unlimited
    assert visit.counts(limited=True) is limited
