"""A small server of our own that speaks the OpenAI chat API, on this machine only.

Only the standard library: `transformers serve` needs four more packages (FastAPI, Starlette,
uvicorn, OpenTelemetry), reads the weights once more in a second process, has no key, and lists its
models only where a hub cache exists. This one shares the weights that the lesson has loaded. It
answers one request at a time; a shop wants vLLM or SGLang, which answer many.
"""

import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ecomtutor.question_answering.generate import Message, stream_smollm2
from ecomtutor.question_answering.hosted import Settings

Complete = Callable[[Sequence[Message], int], Iterator[str]]

MODEL = "smollm2-135m-instruct"
ADDRESS = "127.0.0.1"  # never the network
MOST_BYTES, MOST_TOKENS, USUAL_TOKENS = 1_000_000, 512, 128
_ROLES = ("system", "user", "assistant")


@contextmanager
def local_server(complete: Complete = stream_smollm2, model: str = MODEL) -> Iterator[Settings]:
    """Serve a model on a free port of this machine; stopped when the block ends, however it ends.

    Args:
        complete: messages and the most tokens → pieces of text.
        model: the name under which it is asked for.

    Yields:
        Settings for `hosted.chat`: address, model, and a key that is valid for this block only.

    Raises:
        MissingResource: SmolLM2 is not on this machine yet; before the server starts.
    """
    if complete is stream_smollm2:
        from ecomtutor.models import load_generator

        load_generator("en")
    server = _Server(complete, model)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield Settings(f"http://{ADDRESS}:{server.server_port}/v1", model, server.key)
    finally:
        server.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Refused(Exception):
    """A request that cannot be answered: HTTP status, message, code."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, complete: Complete, model: str):
        super().__init__((ADDRESS, 0), _Handler)
        self.complete, self.model = complete, model
        self.key = secrets.token_urlsafe(24)  # so that no web page in a browser can ask
        self.one_at_a_time, self.stopping = threading.Lock(), threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30  # seconds for a client that sends nothing
    server: _Server

    def do_GET(self) -> None:
        """GET /v1/models"""
        self._answer_safely(self._models)

    def do_POST(self) -> None:
        """POST /v1/chat/completions"""
        self._answer_safely(self._completion)

    def log_message(self, format: str, *args: Any) -> None:
        """A lesson's output is for the lesson."""

    def _answer_safely(self, answer: Callable[[], None]) -> None:
        try:
            self._check_key()
            answer()
        except _Refused as refused:
            status, message, code = refused.args
            error = {"message": message, "type": "invalid_request_error", "param": None}
            self.close_connection = True  # a body may lie unread
            self._send(status, {"error": {**error, "code": code}})

    def _check_key(self) -> None:
        said = self.headers.get("Authorization", "")
        if not hmac.compare_digest(said.encode(), f"Bearer {self.server.key}".encode()):
            raise _Refused(401, "Incorrect API key provided.", "invalid_api_key")

    def _models(self) -> None:
        if self.path != "/v1/models":
            raise _Refused(404, f"There is nothing at {self.path}.", "not_found")
        entry = {"id": self.server.model, "object": "model", "created": 0, "owned_by": "ecomtutor"}
        self._send(200, {"object": "list", "data": [entry]})

    def _completion(self) -> None:
        if self.path != "/v1/chat/completions":
            raise _Refused(404, f"There is nothing at {self.path}.", "not_found")
        body = self._body()
        messages, most = _checked(body, self.server.model)
        send = self._stream if body.get("stream") else self._whole
        with self.server.one_at_a_time:
            send(self._pieces(messages, most), most)

    def _pieces(self, messages: list[Message], most: int) -> Iterator[str]:
        for piece in self.server.complete(messages, most):
            if self.server.stopping.is_set():
                return
            yield piece

    def _whole(self, pieces: Iterator[str], most: int) -> None:
        said = list(pieces)
        message = {"role": "assistant", "content": "".join(said)}
        choice = {"index": 0, "message": message, "finish_reason": _ending(len(said), most)}
        self._send(200, {**self._head("chat.completion"), "choices": [choice]})

    def _stream(self, pieces: Iterator[str], most: int) -> None:
        """Server-sent events: a line of JSON for each piece, and [DONE]."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        head, count = self._head("chat.completion.chunk"), 0
        for piece in pieces:
            count += 1
            self._event(head, {"role": "assistant", "content": piece}, None)
        self._event(head, {}, _ending(count, most))
        self.wfile.write(b"data: [DONE]\n\n")

    def _event(self, head: dict[str, Any], delta: dict[str, str], ending: str | None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": ending}
        line = json.dumps({**head, "choices": [choice]}, ensure_ascii=False)
        self.wfile.write(f"data: {line}\n\n".encode())
        self.wfile.flush()

    def _head(self, kind: str) -> dict[str, Any]:
        name = f"chatcmpl-{secrets.token_hex(8)}"
        return {"id": name, "object": kind, "created": int(time.time()), "model": self.server.model}

    def _body(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MOST_BYTES:
            raise _Refused(413, f"A body of at most {MOST_BYTES} bytes is read.", "too_large")
        try:
            body = json.loads(self.rfile.read(int(length)))
        except ValueError:
            raise _Refused(400, "The body is not JSON.", "invalid_json") from None
        if not isinstance(body, dict):
            raise _Refused(400, "The body is not a JSON object.", "invalid_json")
        return body

    def _send(self, status: int, content: dict[str, Any]) -> None:
        data = json.dumps(content, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _checked(body: dict[str, Any], model: str) -> tuple[list[Message], int]:
    """The messages and the most tokens of a request, or what is wrong with it."""
    if body.get("model") != model:
        raise _Refused(404, f"The model {body.get('model')!r:.80} does not exist here; "
                       f"{model!r} does.", "model_not_found")  # fmt: skip
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(map(_is_message, messages)):
        raise _Refused(400, f"messages is a list of role ({', '.join(_ROLES)}) and content.",
                       "invalid_messages")  # fmt: skip
    if body.get("temperature") not in (None, 0, 0.0):
        raise _Refused(400, "This server always takes the likeliest token: temperature is 0.",
                       "invalid_temperature")  # fmt: skip
    most = body.get("max_completion_tokens") or body.get("max_tokens") or USUAL_TOKENS
    if not isinstance(most, int) or not 1 <= most <= MOST_TOKENS:
        raise _Refused(400, f"max_tokens is 1 to {MOST_TOKENS}.", "invalid_max_tokens")
    return [{"role": m["role"], "content": m["content"]} for m in messages], most


def _is_message(one: object) -> bool:
    return (
        isinstance(one, dict) and one.get("role") in _ROLES and isinstance(one.get("content"), str)
    )


def _ending(pieces: int, most: int) -> str:
    return "length" if pieces >= most else "stop"
