"""How long a request may be and may take, whatever it says of itself."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import JSONResponse
from uvicorn.protocols.http.h11_impl import H11Protocol

LONGEST = 10_000  # bytes of a request's body
PATIENCE = 10.0  # seconds until a request's head, and then its body, must be there


class TooLong(ValueError):
    """A body has more bytes than it may.

    Examples
    --------
    >>> str(TooLong("at most 10,000 bytes"))
    'at most 10,000 bytes'
    """


class Limits:
    """A layer round a web service: it takes a body as it streams in, and so much of it only.

    Parameters
    ----------
    app : ASGI application

    Examples
    --------
    >>> import asyncio
    >>> async def endless():
    ...     return {"type": "http.request", "body": b"x" * 4000, "more_body": True}
    >>> sent = []
    >>> async def send(message):
    ...     sent.append(message)
    >>> from threading import Thread
    >>> one = Thread(target=lambda: asyncio.run(Limits(app=None)({"type": "http"}, endless, send)))
    >>> one.start(), one.join()
    (None, None)
    >>> sent[0]["status"], sent[1]["body"]
    (413, b'{"error":"a request may have at most 10,000 bytes; send less"}')
    """

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Take a request whole and pass it on, or answer in one sentence why not."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            body = await asyncio.wait_for(whole_body(receive), PATIENCE)
        except TooLong:
            said = 413, f"a request may have at most {LONGEST:,} bytes; send less"
        except TimeoutError:
            said = 408, f"the request was not there after {PATIENCE:g} seconds; send it again"
        else:
            messages = iter([{"type": "http.request", "body": body, "more_body": False}])

            async def again() -> Any:
                return next(messages, None) or await receive()

            await self.app(scope, again, send)
            return
        answer = JSONResponse({"error": said[1]}, said[0], headers={"connection": "close"})
        await answer(scope, receive, send)


async def whole_body(receive: Any) -> bytes:
    """Return a request's body, or stop as soon as it is too long."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > LONGEST:
            raise TooLong(f"at most {LONGEST:,} bytes")
    return body


class Impatient(H11Protocol):
    """A connection that is closed when a request's head does not come in time."""

    timer: Any = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self.wait()

    def data_received(self, data: bytes) -> None:
        """Take some bytes; stop waiting if they make a head whole, else go on."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self.stop_waiting()
        elif self.timer is None:
            self.wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting: nobody is there any more."""
        self.stop_waiting()
        super().connection_lost(exc)

    def wait(self) -> None:
        """Close the connection in a while, unless a head comes."""
        self.timer = self.loop.call_later(PATIENCE, self.transport.close)

    def stop_waiting(self) -> None:
        """Let the connection be."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
