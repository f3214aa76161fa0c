"""A link that ends has ended, whatever was handed out or remembered before."""

from collections.abc import Callable, Iterator

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from directlinks.contrib.fastlane.response_cache import clear
from directlinks.models import DirectLink
from tests.delivery.buckets import SigningBucket
from tests.delivery.downloads import delivery
from tests.factories import DirectLinkFactory, UserFactory, owner_of
from tests.pairs import pairwise
from tests.security.asking import LOCAL, document, visit
from tests.serving.doors import DOORS, Door

pytestmark = pytest.mark.django_db


def deactivate_owner(link: DirectLink) -> None:
    owner_of(link.file).is_active = False
    owner_of(link.file).save()


def pause(link: DirectLink) -> None:
    link.paused = True
    link.save()


def revoke(link: DirectLink) -> None:
    DirectLink.objects.filter(pk=link.pk).revoke(timezone.now())


def remove_bytes(link: DirectLink) -> None:
    link.file.content.storage.delete(str(link.file.content))


FATES: dict[str, Callable[[DirectLink], object]] = {
    "owner inactive": deactivate_owner,
    "owner deleted": lambda link: owner_of(link.file).delete(),
    "paused": pause,
    "revoked": revoke,
    "trashed": lambda link: link.file.trash(),
    "deleted": lambda link: link.file.delete(),
}
every_fate = pytest.mark.parametrize("fate", FATES)


@pytest.fixture(autouse=True)
def _nothing_is_known() -> Iterator[None]:
    clear()
    yield
    clear()


class TestLinksThatEnd:
    @pytest.mark.parametrize("backend", LOCAL)
    def test_a_link_stops_at_once_while_its_owner_is_inactive(
        self, backend: str, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = {**delivery(backend), "REDIRECT_MAX_AGE": 60}
        link = DirectLinkFactory()
        assert document(link).status_code == 200
        owner_of(link.file).is_active = False
        owner_of(link.file).save()
        assert visit(link).status_code == 404

    @every_fate
    def test_a_link_stops_at_once_although_its_signed_target_is_cached(
        self, fate: str, signing_bucket: SigningBucket
    ) -> None:
        link = DirectLinkFactory()
        other = DirectLinkFactory()
        assert visit(link).headers["Location"].endswith("?signature=1")
        FATES[fate](link)
        assert visit(link).status_code == 404
        assert len(signing_bucket.wishes) == 1
        assert visit(other).status_code == 302

    @pairwise(
        door=DOORS, fate=list(FATES), chosen=[{}, {"CACHE_SECONDS": 60}, {"REDIRECT_MAX_AGE": 60}]
    )
    def test_link_and_target_stop_at_once(
        self, door: Door, fate: str, chosen: dict[str, int], settings: Settings
    ) -> None:
        settings.DIRECTLINKS = chosen
        link = DirectLinkFactory()
        other = DirectLinkFactory()
        path = link.get_absolute_url()
        target = door(path).headers["location"]
        assert door(target).body == b"some bytes"
        FATES[fate](link)
        assert [door(gone).status for gone in (path, target)] == [404, 404]
        assert door(other.get_absolute_url()).status == 302

    @pairwise(
        door=DOORS,
        backend=LOCAL[:2],
        headers=[{}, {"Range": "bytes=2-"}, {"Range": "bytes=99-"}],
    )
    def test_a_missing_content_is_404(
        self, door: Door, backend: str, headers: dict[str, str], settings: Settings
    ) -> None:
        settings.DIRECTLINKS = delivery(backend)
        link = DirectLinkFactory()
        remove_bytes(link)
        for method in ("GET", "HEAD"):
            answer = door(link.get_absolute_url(), method, headers)
            if answer.status == 302:
                answer = door(answer.headers["location"], method, headers)
            assert answer.status == 404

    @pytest.mark.parametrize("act", ["delete", "trash"])
    def test_deleting_a_file_ends_no_links_of_similar_paths(self, act: str) -> None:
        owner = UserFactory()
        paths = ["a", "a.txt", "a/b.txt", "ab", "A"]
        links = {path: DirectLinkFactory(file__owner=owner, file__path=path) for path in paths}
        getattr(links["a"].file, act)()
        statuses = {path: visit(link).status_code for path, link in links.items()}
        assert statuses == {"a": 404, "a.txt": 302, "a/b.txt": 302, "ab": 302, "A": 302}
