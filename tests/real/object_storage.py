"""An S3 server that checks signatures, and a site that keeps its files there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.real.programs import needed
from tests.real.servers import Server, free_port, running
from tests.real.sites import Site

ACCESS_KEY, SECRET_KEY, BUCKET = "AKIATESTKEY", "a-secret-of-some-length", "links"

# What docs/delivery.md recommends, and an address that is this machine's.
SETTINGS = """
STORAGES = {{
    "default": {{"BACKEND": "django.core.files.storage.FileSystemStorage"}},
    "staticfiles": {{"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}},
    "directlinks": {{
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {{
            "access_key": "{access_key}",
            "secret_key": "{secret_key}",
            "bucket_name": "{bucket}",
            "endpoint_url": "{endpoint}",
            "region_name": "us-east-1",
            "signature_version": "s3v4",
            "addressing_style": "path",
        }},
    }},
}}
"""


@contextmanager
def s3_server(folder: Path) -> Iterator[Server]:
    """rclone as S3 server of one bucket, in the new ``folder``."""
    program = needed("rclone")
    (folder / BUCKET).mkdir(parents=True)
    port = free_port()
    keys = ["--auth-key", f"{ACCESS_KEY},{SECRET_KEY}"]
    command = [program, "serve", "s3", "--addr", f"127.0.0.1:{port}", *keys, str(folder)]
    nobodys_settings = ["--config", str(folder.with_suffix(".conf"))]
    with running([*command, *nobodys_settings], port, folder.with_suffix(".log")) as server:
        yield server


def site_on(server: Server, site: Site, name: str, settings: str = "") -> Site:
    """``site`` as the variant ``name`` that keeps its files on ``server``."""
    storages = SETTINGS.format(
        access_key=ACCESS_KEY, secret_key=SECRET_KEY, bucket=BUCKET, endpoint=server.origin
    )
    return site.variant(name, storages + settings)
