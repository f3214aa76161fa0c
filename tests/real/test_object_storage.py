"""The servers of objects that other tests rely on."""

import pytest
from django.core.files.base import ContentFile

from directlinks.delivery.presigning import Wish, target_of
from tests.real.faulty_proxy import Fault
from tests.real.object_storage import OBJECT_SERVERS, S3, ObjectServers, ObjectStorage
from tests.real.visitors import ask

CONTENT = bytes(range(256)) * 100


@pytest.fixture(scope="module", params=OBJECT_SERVERS)
def objects(request: pytest.FixtureRequest, object_servers: ObjectServers) -> ObjectStorage:
    return object_servers[request.param]


def test_it_keeps_what_it_is_given(objects: ObjectStorage) -> None:
    storage = objects.storage()
    name = storage.save("a/b c.bin", ContentFile(CONTENT))
    assert storage.exists(name)
    assert storage.size(name) == len(CONTENT)
    with storage.open(name) as file:
        assert file.read() == CONTENT
    answer = ask("GET", storage.url(name))
    assert (answer.status, answer.body) == (200, CONTENT)
    storage.delete(name)
    assert not storage.exists(name)


def test_it_refuses_what_was_not_signed(objects: ObjectStorage) -> None:
    if objects.key is not None:
        pytest.skip("The emulator of Google checks no signature.")
    storage = objects.storage()
    url = storage.url(storage.save("private.bin", ContentFile(CONTENT)))
    assert ask("GET", url).status == 200
    assert ask("GET", url.partition("?")[0]).status in (400, 401, 403, 404)


def test_an_address_for_get_is_good_for_head_but_of_s3(objects: ObjectStorage) -> None:
    storage = objects.storage()
    name = storage.save("asked first.bin", ContentFile(CONTENT))
    target = target_of(storage, name, Wish("image/png", "inline", 60, head_only=False))
    asked = ask("HEAD", target.url)
    assert target.get_only is (objects.backend == S3)
    assert asked.status == (403 if target.get_only else 200)
    assert ask("GET", target.url).body == CONTENT


def test_a_proxy_in_front_of_it_is_not_seen_until_it_fails(objects: ObjectStorage) -> None:
    with objects.behind_proxy() as (behind, proxy):
        storage = behind.storage()
        name = storage.save("behind.bin", ContentFile(CONTENT))
        url = storage.url(name)
        with proxy.counting() as requests:
            assert ask("GET", url).body == CONTENT
        assert [one.method for one in requests] == ["GET"]
        with proxy.failing(Fault(status=503, body=b"busy")):
            assert ask("GET", url).status == 503
        assert ask("GET", url).status == 200
