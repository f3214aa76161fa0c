"""A storage that signs its URLs, and can say how often it did."""

from directlinks.delivery.presigning import Target, Wish
from tests.storages import Bucket


class SigningBucket(Bucket):
    get_only = False

    def __init__(self) -> None:
        super().__init__()
        self.wishes: list[Wish] = []
        self.key = "first"


def sign(bucket: SigningBucket, name: str, wish: Wish) -> Target:
    """A presigner: each URL differs from those before it."""
    bucket.wishes.append(wish)
    url = f"{bucket.url(name)}?signature={len(bucket.wishes)}"
    return Target(
        url,
        wish.seconds,
        overrides=True,
        head_only=wish.head_only,
        get_only=bucket.get_only and not wish.head_only,
    )


def place_and_key(bucket: SigningBucket) -> object:
    """An identity."""
    return bucket.base_url, bucket.key
