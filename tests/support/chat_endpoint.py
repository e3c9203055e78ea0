"""A small OpenAI-compatible endpoint on loopback: "translates" by shouting."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class ChatEndpoint:
    base_url: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    """Answered first, one a request, before the endpoint works."""
    say: Callable[[str], str] = str.upper

    @property
    def texts(self) -> list[str]:
        return [request["messages"][-1]["content"] for request in self.requests]


@contextmanager
def chat_endpoint() -> Iterator[ChatEndpoint]:
    class Requests(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            endpoint.requests.append({"path": self.path, **request})
            endpoint.keys.append(self.headers["Authorization"])
            status = endpoint.statuses.pop(0) if endpoint.statuses else 200
            text = endpoint.say(request["messages"][-1]["content"])
            answer = {"choices": [{"message": {"role": "assistant", "content": text}}]}
            body = json.dumps(answer if status == 200 else {"error": "scripted"}).encode()
            self.send_response(status)
            if status == 307:
                self.send_header("Location", f"{endpoint.base_url}/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Requests) as server:
        endpoint = ChatEndpoint(f"http://127.0.0.1:{server.server_port}/v1")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield endpoint
        server.shutdown()
        thread.join()
