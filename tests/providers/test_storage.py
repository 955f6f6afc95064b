"""Files in a folder, and in a bucket behind an address that speaks S3."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from local.ports import any_free
from providers.storage import NotKept, Storage, StorageAway

PHOTO = bytes(range(256)) * 100


def in_folder(folder: Path) -> Storage:
    return Storage(folder.as_uri(), timeout_seconds=5)


def files(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


async def test_a_file_in_a_folder_is_there_for_the_next_process(tmp_path: Path) -> None:
    folder = tmp_path / "not there yet"
    await in_folder(folder).put("proofs/1/abc.jpg", PHOTO)
    await in_folder(folder).put("proofs/1/abc.jpg", PHOTO)

    assert await in_folder(folder).get("proofs/1/abc.jpg") == PHOTO
    assert files(folder) == ["abc.jpg"]


async def test_a_folder_that_cannot_be_used_is_used_as_soon_as_it_can(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.write_text("in the way")
    storage = in_folder(folder)
    with pytest.raises(StorageAway):
        await storage.put("a", PHOTO)

    folder.unlink()
    await storage.put("a", PHOTO)

    assert await storage.get("a") == PHOTO


async def test_a_file_that_is_forgotten_is_gone_and_may_be_forgotten_again(tmp_path: Path) -> None:
    storage = in_folder(tmp_path)
    for key in ("one/a", "one/b", "another/a"):
        await storage.put(key, PHOTO)

    await storage.forget(["one/a"])
    await storage.forget(["one/a"])
    assert sorted(files(tmp_path)) == ["a", "b"]

    await storage.forget_folder("one")
    await storage.forget_folder("one")
    assert files(tmp_path) == ["a"]
    assert await storage.get("another/a") == PHOTO


async def test_a_file_that_is_not_there_is_the_storages_fault(tmp_path: Path) -> None:
    with pytest.raises(NotKept):
        await in_folder(tmp_path).get("a")


@pytest.mark.parametrize("key", ["../a", "/../../a", "a/../../b"])
async def test_no_key_leads_out_of_the_folder(tmp_path: Path, key: str) -> None:
    folder = tmp_path / "inside"
    with pytest.raises(ValueError, match="path"):
        await in_folder(folder).put(key, PHOTO)

    assert not files(tmp_path)


class Bucket(BaseHTTPRequestHandler):
    """As much of S3 as it takes to keep a file and give it back, to whoever signs."""

    kept: dict[str, bytes]

    def do_PUT(self) -> None:
        self.kept[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(b"")

    def do_GET(self) -> None:
        self._answer(self.kept.get(self.path))

    def _answer(self, content: bytes | None) -> None:
        signed = "Credential=a-key/" in self.headers.get("Authorization", "")
        body = content or b""
        self.send_response(403 if not signed else 404 if content is None else 200)
        self.send_header("ETag", '"1"')
        self.send_header("Last-Modified", "Sat, 31 Jan 2026 18:34:00 GMT")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    kept: dict[str, bytes] = {}
    handler = type("Handler", (Bucket,), {"kept": kept})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    at_bucket(monkeypatch, server.server_port)
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()


def at_bucket(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    """The environment of a process whose buckets are elsewhere than at Amazon."""
    monkeypatch.setenv("AWS_ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret")


async def test_a_bucket_is_found_by_the_environment(bucket: dict[str, bytes]) -> None:
    storage = Storage("s3://photos/ridendine", timeout_seconds=5)
    await storage.put("proofs/1/abc.jpg", PHOTO)

    assert bucket == {"/photos/ridendine/proofs/1/abc.jpg": PHOTO}
    assert await storage.get("proofs/1/abc.jpg") == PHOTO
    with pytest.raises(StorageAway):
        await storage.get("proofs/1/none.jpg")


async def test_a_bucket_that_is_not_there_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_bucket(monkeypatch, any_free())
    with pytest.raises(StorageAway):
        await Storage("s3://photos", timeout_seconds=5).put("a", PHOTO)


async def test_a_bucket_that_is_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        at_bucket(monkeypatch, silent.getsockname()[1])
        with pytest.raises(StorageAway):
            await Storage("s3://photos", timeout_seconds=0.5).put("a", PHOTO)
