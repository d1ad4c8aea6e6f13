"""What the service is compared to: FastAPI with nothing to do, and below it ASGI without any framework."""

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

app = FastAPI()


@app.get("/hello")
async def hello() -> dict[str, str]:
    return {"message": "hello"}


async def bare(_: Scope, __: Receive, send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"19")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"message":"hello"}'})
