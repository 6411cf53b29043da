"""Puts the files of the web page into its bucket, tells it where its service is, and takes both away with the stack.

Properties: SourceBucket and SourceKey name the page's zip, Bucket is where its files go, ApiUrl is for `/config.json`.
Repeating any event is safe: files are written over, what is no part of the page any more is deleted. Browsers ask anew
for every file (`no-cache`), so that they never run modules of two releases together; 304 answers what is
the same.
"""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import boto3

from cdk_app.custom_resources.answer import Attributes, Context, Event, answer

CONFIG = "config.json"

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
"""Files of other types are about the page, and no part of it."""


def handle(event: Event, context: Context) -> None:
    """Bring the bucket to what the event asks for."""
    wanted: Mapping[str, str] = event["ResourceProperties"]

    def work() -> Attributes:
        client: Any = boto3.client("s3")
        bucket = wanted["Bucket"]
        files: dict[str, bytes] = {}
        if event["RequestType"] != "Delete":
            source = client.get_object(Bucket=wanted["SourceBucket"], Key=wanted["SourceKey"])
            files = {**page_of(source["Body"].read()), CONFIG: json.dumps({"api_url": wanted["ApiUrl"]}).encode()}
        # The page itself goes last: whoever loads it finds the modules that it names.
        for name in sorted(files, key=lambda name: (name.endswith(".html"), name)):
            kind = TYPES.get(PurePosixPath(name).suffix, "application/json")
            client.put_object(Bucket=bucket, Key=name, Body=files[name], ContentType=kind, CacheControl="no-cache")
        for name in set(_names_in(client, bucket)) - files.keys():
            client.delete_object(Bucket=bucket, Key=name)
        return {}

    answer(event, context, "web-files", work)


def page_of(archive: bytes) -> dict[str, bytes]:
    """Return the files of the page by their names."""
    with zipfile.ZipFile(io.BytesIO(archive)) as content:
        names = (name for name in content.namelist() if PurePosixPath(name).suffix in TYPES)
        return {name: content.read(name) for name in names}


def _names_in(client: Any, bucket: str) -> Iterator[str]:
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for item in page.get("Contents", []):
            yield item["Key"]
