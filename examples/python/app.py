"""A Python app with what the standard library has."""

import json
import os
import platform
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = json.dumps({"hello": "from Berth", "python": platform.python_version()}).encode() + b"\n"
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        print(self.command, self.path)


# The first process of a container gets no default for SIGTERM.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

port = int(os.environ.get("PORT", "8080"))
print(f"listening on port {port}")
ThreadingHTTPServer(("0.0.0.0", port), Handler).serve_forever()
