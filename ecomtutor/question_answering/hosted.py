"""Ask a language model over the OpenAI chat API, on this machine or anywhere: two settings change.

    with local_server() as settings:                       # server.py: SmolLM2 on this machine
        write = chat(settings)
    write = chat(Settings("https://api.example.com/v1", "their-model"))   # OPENAI_API_KEY is set

`write` is what `generate.answer_in_words` takes. Whatever goes wrong is a `ServiceError` that says
what happened and what to do; the key is in none of them.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ecomtutor.errors import EcomTutorError
from ecomtutor.question_answering.generate import NEW_TOKENS, Message, Write

if TYPE_CHECKING:
    from openai import OpenAI

KEY = "OPENAI_API_KEY"
_SHOWN = 200  # characters of a server's own words


class ServiceError(EcomTutorError):
    """The model's server could not be asked, or did not answer as it should."""


@dataclass(frozen=True)
class Settings:
    """Which server and which model.

    base_url: ends in /v1 with most. model: a name that the server knows.
    key: leave it out, and it is read from the environment variable OPENAI_API_KEY. Never write one
        into a notebook: notebooks are shared.
    timeout: seconds until a request, or the next piece of a stream, counts as lost.
    retries: how often a request is repeated when the server is busy, broken or not there. The
        waiting time doubles from half a second, or is what the server asks for.
    """

    base_url: str
    model: str
    key: str | None = field(default=None, repr=False)
    timeout: float = 30.0
    retries: int = 2

    def __post_init__(self) -> None:
        if urlsplit(self.base_url).scheme not in ("http", "https"):
            raise ServiceError(
                f"A base_url begins with https:// or http://; {self.base_url!r} came."
            )
        if not self.model or not self.timeout > 0 or self.retries < 0:
            raise ServiceError(
                "A model's name, a timeout above 0 and retries from 0 on are expected; "
                f"{self.model!r}, {self.timeout!r} and {self.retries!r} came."
            )


def chat(settings: Settings, new_tokens: int = NEW_TOKENS) -> Write:
    """A function from messages to the model's answer, greedy (temperature 0).

    Raises:
        ServiceError: there is no key; later, when it is called, whatever goes wrong.
    """
    client = client_for(settings)

    def write(messages: Sequence[Message]) -> str:
        with _told(settings):
            answer = _ask(client, settings, messages, new_tokens, stream=False)
            return _text(answer.choices[0].message.content)

    return write


def stream(
    settings: Settings, messages: Sequence[Message], new_tokens: int = NEW_TOKENS
) -> Iterator[str]:
    """The answer piece by piece, as the model writes it.

    Raises:
        ServiceError: as `chat`, and where the stream ends before the model did.
    """
    client = client_for(settings)
    begun, ended = False, None
    try:
        with _told(settings):
            for piece in _ask(client, settings, messages, new_tokens, stream=True):
                if piece.choices:
                    begun, ended = True, piece.choices[0].finish_reason or ended
                    if piece.choices[0].delta.content:
                        yield piece.choices[0].delta.content
    except ServiceError as error:
        if begun:
            raise ServiceError(f"The answer of {settings.base_url} was cut off. {error}") from error
        raise
    if not ended:
        raise ServiceError(f"The answer of {settings.base_url} was cut off. Ask again.")


def client_for(settings: Settings) -> "OpenAI":
    """The official client with these settings.

    Raises:
        ServiceError: there is no key, neither in the settings nor in the environment.
    """
    import openai

    key = settings.key or os.environ.get(KEY, "").strip()
    if not key:
        raise ServiceError(
            f"There is no key for {settings.base_url}. Set the environment variable {KEY} before "
            "Jupyter starts, or use local_server(), which needs none of yours."
        )
    # A proxy of the environment is for the web, not for this machine.
    local = urlsplit(settings.base_url).hostname in ("127.0.0.1", "localhost", "::1")
    return openai.OpenAI(
        base_url=settings.base_url,
        api_key=key,
        timeout=settings.timeout,
        max_retries=settings.retries,
        http_client=openai.DefaultHttpxClient(trust_env=False) if local else None,
    )


def _ask(
    client: "OpenAI", settings: Settings, messages: Sequence[Message], most: int, stream: bool
) -> Any:
    create: Callable[..., Any] = client.chat.completions.create
    return create(
        model=settings.model,
        messages=list(messages),
        max_tokens=most,
        temperature=0,
        stream=stream,
    )


def _text(content: str | None) -> str:
    return (content or "").strip()


@contextmanager
def _told(settings: Settings) -> Iterator[None]:
    """Turn whatever the client raises into a ServiceError that says what to do."""
    import openai

    try:
        yield
    except openai.OpenAIError as error:
        raise ServiceError(_in_words(error, settings)) from error
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        if isinstance(error, EcomTutorError):
            raise
        raise ServiceError(
            f"{settings.base_url} answered, but not as the OpenAI API does. Is it the right "
            "base_url? It often ends in /v1."
        ) from error
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("httpx", "httpx2", "httpcore2"):
            raise
        # The client passes on what breaks in the middle of a stream as it comes.
        raise ServiceError(
            f"The answer of {settings.base_url} was cut off ({type(error).__name__}). Ask again."
        ) from error


def _in_words(error: Exception, settings: Settings) -> str:
    import openai

    url, tries = settings.base_url, settings.retries + 1
    asked = f"{tries} time{'s' if tries > 1 else ''}"
    own = _own_words(error, settings)
    cases: tuple[tuple[type[Exception], str], ...] = (
        (
            openai.APITimeoutError,
            f"{url} gave no answer within {settings.timeout:g} s, asked {asked}. Raise timeout, or "
            "ask for fewer tokens.",
        ),
        (
            openai.APIConnectionError,
            f"No server could be reached at {url}, asked {asked}. Is it running, is the address "
            "right, is there a network?",
        ),
        (openai.AuthenticationError, f"{url} refused the key. Look at {KEY}. It says: {own}"),
        (openai.PermissionDeniedError, f"{url} does not allow this with your key: {own}"),
        (
            openai.NotFoundError,
            f"{url} knows no model {settings.model!r}, or the base_url is wrong (it often ends in "
            f"/v1). It says: {own}",
        ),
        (
            openai.RateLimitError,
            f"{url} is busy, or your quota is used up; asked {asked}. Wait, or ask less often. It "
            f"says: {own}",
        ),
        (openai.InternalServerError, f"{url} failed, asked {asked}. It says: {own}"),
    )
    return next((said for kind, said in cases if isinstance(error, kind)), f"{url} says: {own}")


def _own_words(error: Exception, settings: Settings) -> str:
    """What the server said, short and without the key."""
    key = settings.key or os.environ.get(KEY, "").strip()
    said = " ".join(str(getattr(error, "message", error)).split())
    said = said.replace(key, "…") if key else said
    return said if len(said) <= _SHOWN else f"{said[:_SHOWN]}…"
