"""The same client asks a local server and a hosted one; whatever fails says what to do."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

pytest.importorskip("openai")

from ecomtutor.question_answering.generate import Message
from ecomtutor.question_answering.hosted import (
    KEY,
    ServiceError,
    Settings,
    chat,
    client_for,
    stream,
)
from ecomtutor.question_answering.server import ADDRESS, local_server

ASK: list[Message] = [{"role": "user", "content": "Hello? 在吗"}]


def parrot(messages: Sequence[Message], most: int) -> Iterator[str]:
    yield from ["You said: ", messages[-1]["content"], " 🙂", "!" * 3][:most]


@contextmanager
def fake(
    answer: Callable[[BaseHTTPRequestHandler, int], None],
) -> Iterator[tuple[str, list[float]]]:
    """A server that answers each POST with `answer(handler, how many came before)`."""
    calls: list[float] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            calls.append(time.monotonic())
            answer(self, len(calls) - 1)

        def log_message(self, format: str, *args: Any) -> None: ...

    server = ThreadingHTTPServer((ADDRESS, 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://{ADDRESS}:{server.server_port}/v1", calls
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def send(handler: BaseHTTPRequestHandler, status: int, body: Any) -> None:
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(data)))
    handler.send_header("retry-after-ms", "5")
    handler.end_headers()
    handler.wfile.write(data)


def whole(text: str) -> dict[str, Any]:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": "stop",
    }
    return {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}


def quick(url: str, **more: Any) -> Settings:
    return Settings(url, "m", **{"key": "sk-secret", "timeout": 5.0, **more})


def test_the_official_client_asks_the_local_server_and_streams() -> None:
    with local_server(parrot, "parrot-1") as settings:
        assert chat(settings)(ASK) == "You said: Hello? 在吗 🙂!!!"
        assert list(stream(settings, ASK)) == ["You said: ", "Hello? 在吗", " 🙂", "!!!"]
        client = client_for(settings)
        assert [model.id for model in client.models.list()] == ["parrot-1"]
        create: Any = client.chat.completions.create
        cut = create(model="parrot-1", messages=ASK, max_tokens=1)
        assert (cut.choices[0].message.content, cut.choices[0].finish_reason) == (
            "You said: ",
            "length",
        )


def test_it_listens_to_this_machine_only_and_is_stopped_even_by_an_error() -> None:
    with pytest.raises(RuntimeError, match="lesson"), local_server(parrot) as settings:
        host, port = settings.base_url.removeprefix("http://").removesuffix("/v1").split(":")
        assert host == "127.0.0.1"
        before = threading.active_count()
        raise RuntimeError("lesson")
    assert threading.active_count() < before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=2)


def test_leaving_the_block_stops_a_generation_that_runs() -> None:
    started, ended = threading.Event(), threading.Event()

    def endless(messages: Sequence[Message], most: int) -> Iterator[str]:
        try:
            while True:
                started.set()
                time.sleep(0.01)
                yield "…"
        finally:
            ended.set()

    with local_server(endless) as settings:
        pieces = stream(settings, ASK)
        next(pieces)
        assert started.is_set()
    assert ended.wait(5)


def test_a_request_that_cannot_be_answered_says_why() -> None:
    with local_server(parrot, "parrot-1") as settings:
        with pytest.raises(ServiceError, match=r"knows no model 'gpt-9'.*'parrot-1' does"):
            chat(Settings(settings.base_url, "gpt-9", settings.key))(ASK)
        with pytest.raises(ServiceError, match="refused the key") as caught:
            chat(Settings(settings.base_url, "parrot-1", "sk-wrong-key"))(ASK)
        assert "sk-wrong-key" not in str(caught.value)
        for bad in ([], [{"role": "boss", "content": "x"}], [{"role": "user", "content": 3}]):
            with pytest.raises(ServiceError, match="messages is a list"):
                chat(settings)(bad)  # type: ignore[arg-type]
        with pytest.raises(ServiceError, match="max_tokens is 1 to 512"):
            chat(settings, new_tokens=513)(ASK)
        with pytest.raises(ServiceError, match="base_url"):
            chat(Settings(settings.base_url + "/x", "parrot-1", settings.key))(ASK)


@pytest.mark.parametrize(
    "request_head, status",
    [
        (b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", b"401"),
        (b"GET /v1/models HTTP/1.1\r\n\r\n", b"401"),
        (b"DELETE /v1/models HTTP/1.1\r\n\r\n", b"501"),
        (
            b"POST /v1/chat/completions HTTP/1.1\r\nAUTH\r\nContent-Length: 9\r\n\r\nnot json!",
            b"400",
        ),
        (b"POST /v1/chat/completions HTTP/1.1\r\nAUTH\r\nContent-Length: 2\r\n\r\n[]", b"400"),
        (b"POST /v1/chat/completions HTTP/1.1\r\nAUTH\r\nContent-Length: 9999999\r\n\r\n", b"413"),
        (b"POST /v1/chat/completions HTTP/1.1\r\nAUTH\r\n\r\n", b"413"),
        (b"GET /etc/passwd HTTP/1.1\r\nAUTH\r\n\r\n", b"404"),
    ],
)
def test_raw_requests_of_other_programs(request_head: bytes, status: bytes) -> None:
    with local_server(parrot) as settings:
        port = int(settings.base_url.split(":")[2].removesuffix("/v1"))
        line = f"Host: x\r\nAuthorization: Bearer {settings.key}".encode()
        with socket.create_connection((ADDRESS, port), timeout=5) as raw:
            raw.sendall(request_head.replace(b"AUTH", line))
            assert raw.recv(100).split(b" ")[1] == status


def test_a_missing_key_is_told_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY, raising=False)
    with fake(lambda handler, _: send(handler, 200, whole("hi"))) as (url, calls):
        with pytest.raises(ServiceError, match=r"There is no key .* OPENAI_API_KEY"):
            chat(Settings(url, "m"))
        assert calls == []
        monkeypatch.setenv(KEY, "sk-from-environment")
        assert chat(Settings(url, "m"))(ASK) == "hi"


def test_the_key_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = quick("http://127.0.0.1:9/v1")
    assert "sk-secret" not in repr(settings)
    with (
        fake(lambda handler, _: send(handler, 401, {"error": {"message": "bad sk-secret"}})) as (
            url,
            _,
        ),
        pytest.raises(ServiceError) as caught,
    ):
        chat(quick(url))(ASK)
    assert "sk-secret" not in str(caught.value)


def test_a_server_that_recovers_is_asked_again() -> None:
    def second_time(handler: BaseHTTPRequestHandler, before: int) -> None:
        send(handler, 500 if before < 2 else 200, whole("back") if before >= 2 else {})

    with fake(second_time) as (url, calls):
        assert chat(quick(url, retries=2))(ASK) == "back"
        assert len(calls) == 3


@pytest.mark.parametrize(
    "status, said, message, tries",
    [
        (500, "boom", r"failed, asked 2 times.*boom", 2),
        (503, "<html>" + "x" * 900, r"failed, asked 2 times", 2),
        (429, "slow down", r"busy, or your quota is used up; asked 2 times.*slow down", 2),
        (403, "not you", r"does not allow this with your key", 1),
        (404, "no such model", r"knows no model 'm'.*no such model", 1),
        (400, "too long", r"too long", 1),
    ],
)
def test_a_server_that_fails(status: int, said: str, message: str, tries: int) -> None:
    with fake(lambda handler, _: send(handler, status, {"error": {"message": said}})) as (
        url,
        calls,
    ):
        with pytest.raises(ServiceError, match=message) as caught:
            chat(quick(url, retries=1))(ASK)
        assert len(calls) == tries and len(str(caught.value)) < 500


def test_a_server_that_hangs() -> None:
    with fake(lambda handler, _: time.sleep(3)) as (url, calls):
        with pytest.raises(ServiceError, match=r"no answer within 0.2 s, asked 1 time\."):
            chat(quick(url, timeout=0.2, retries=0))(ASK)
        assert len(calls) == 1


def test_a_server_that_is_down() -> None:
    with socket.socket() as taken:
        taken.bind((ADDRESS, 0))
        port = taken.getsockname()[1]
    with pytest.raises(ServiceError, match="No server could be reached"):
        chat(quick(f"http://{ADDRESS}:{port}/v1", retries=0))(ASK)


@pytest.mark.parametrize("body", ["<html>welcome</html>", {"ok": True}, {"choices": []}, []])
def test_a_server_that_is_no_model(body: Any) -> None:
    with (
        fake(lambda handler, _: send(handler, 200, body)) as (url, _),
        pytest.raises(ServiceError, match="not as the OpenAI API does"),
    ):
        chat(quick(url, retries=0))(ASK)


@pytest.mark.parametrize("how", ["ends", "breaks", "hangs"])
def test_a_stream_that_is_cut(how: str) -> None:
    def cut(handler: BaseHTTPRequestHandler, _: int) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        if how == "breaks":
            handler.send_header("Content-Length", "5000")
        handler.end_headers()
        choice = {"index": 0, "delta": {"content": "Your refu"}, "finish_reason": None}
        line = json.dumps({**whole(""), "object": "chat.completion.chunk", "choices": [choice]})
        handler.wfile.write(f"data: {line}\n\n".encode())
        handler.wfile.flush()
        if how == "hangs":
            time.sleep(2)

    got: list[str] = []
    with fake(cut) as (url, _), pytest.raises(ServiceError, match="cut off"):
        for piece in stream(quick(url, timeout=0.4, retries=0), ASK):
            got.append(piece)
    assert got == ["Your refu"]


@pytest.mark.parametrize(
    "wrong",
    [{"base_url": "api.example.com"}, {"base_url": "file:///x"}, {"model": ""}, {"timeout": 0},
     {"retries": -1}],
)  # fmt: skip
def test_settings_are_checked_at_the_door(wrong: dict[str, Any]) -> None:
    with pytest.raises(ServiceError):
        Settings(**{"base_url": "http://127.0.0.1/v1", "model": "m", **wrong})


def test_a_proxy_of_the_environment_is_not_used_for_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with local_server(parrot) as settings:
        assert chat(settings)(ASK).startswith("You said")
