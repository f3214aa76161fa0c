"""What tests through whole handlers stand on, here as in tests/serving."""

from tests.delivery.conftest import _presigners_of_its_own, bucket, signing_bucket
from tests.serving.conftest import (
    _connections_outlive_requests,
    _no_script_prefix_stays,
    _requests_in_a_loop_use_this_thread,
)

__all__ = [
    "_connections_outlive_requests",
    "_no_script_prefix_stays",
    "_presigners_of_its_own",
    "_requests_in_a_loop_use_this_thread",
    "bucket",
    "signing_bucket",
]
