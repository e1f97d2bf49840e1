#!/usr/bin/env python3
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
"""The shipped Rego policies in a real engine (regopy), for the tests.

    policy-engine.py serve POLICIES PORT      OPA's data API on 127.0.0.1: POST /v1/data/<path>, GET /health
    policy-engine.py answer POLICIES QUESTIONS ANSWERS
                                              reads the file of questions, a line each, and writes the answers, a line
                                              each, in the same order

A question is {"input": …}; a line {"data": …} puts another role document in force for those after it.

The server can be told to misbehave: PUT /fault {"delay": seconds, "status": 500, "body": "text", "bytes": 100000,
"close": true}; PUT /fault {} ends it. GET /stats tells how many questions and connections there were.
"""
import json
import os
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from regopy import Interpreter

MODULES = ["authz", "api_keys", "tenants", "decision"]
# What the packages promise, asked in one go.
PROMISED = {
    "decision": ("tollgate.decision", ["allow", "reasons", "effective_roles"]),
    "authz": ("authz", ["allow", "reasons", "effective_roles"]),
    "api_keys": ("api_keys", ["allow", "reasons"]),
    "tenants": ("tenants", ["allow", "is_owner", "is_tenant_admin", "allow_mutation", "reasons"]),
}


class Engine:
    """The policies with one role document; compiles each path once."""

    def __init__(self, folder, data=None):
        self.sources = [(name, open(os.path.join(folder, name + ".rego")).read()) for name in MODULES]
        self.data = data or json.load(open(os.path.join(folder, "data.json")))
        self.runner = Interpreter()
        self.bundles = {}
        self.lock = threading.Lock()

    def _bundle(self, query):
        if query not in self.bundles:
            builder = Interpreter()
            builder.add_data(self.data)
            for name, source in self.sources:
                builder.add_module(name, source)
            self.bundles[query] = builder.build(query)
        return self.bundles[query]

    def ask(self, query, document):
        """The value of the query, or None when it is undefined."""
        with self.lock:
            bundle = self._bundle(query)
            self.runner.set_input(document)
            text = str(self.runner.query_bundle(bundle))
        if text.strip() == "undefined":
            return None
        expressions = json.loads(text).get("expressions") or []
        return expressions[0] if expressions else None


def answer_lines(folder, questions, answers):
    query = "{" + ", ".join(
        '"%s": {%s}' % (key, ", ".join('"%s": data.%s.%s' % (rule, package, rule) for rule in rules))
        for key, (package, rules) in PROMISED.items()) + "}"
    engine = Engine(folder)
    with open(questions) as asked, open(answers, "w") as answered:
        for line in asked:
            question = json.loads(line)
            if "data" in question:
                engine = Engine(folder, question["data"])
            else:
                answered.write(json.dumps(engine.ask(query, question["input"])) + "\n")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, folder, port):
        self.engine = Engine(folder)
        self.fault = {}
        self.stats = {"questions": 0, "connections": 0}
        super().__init__(("127.0.0.1", port), Handler)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.asked = False

    def log_message(self, *_):
        pass

    def body(self):
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def give(self, status, body):
        head = "HTTP/1.1 %d -\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
        # In one piece: two writes would wait for each other.
        self.wfile.write(head.encode() + body)

    def do_GET(self):
        if self.path == "/health":
            return self.give(self.server.fault.get("status", 200), b"{}")
        if self.path == "/stats":
            return self.give(200, json.dumps(self.server.stats).encode())
        self.give(404, b"{}")

    def do_PUT(self):
        self.server.fault = json.loads(self.body())
        self.give(200, b"{}")

    def do_POST(self):
        document = json.loads(self.body())
        stats, fault = self.server.stats, self.server.fault
        stats["questions"] += 1
        stats["connections"] += 0 if self.asked else 1
        self.asked = True
        if fault.get("close"):
            self.close_connection = True
            return self.connection.shutdown(socket.SHUT_RDWR)
        time.sleep(fault.get("delay", 0))
        if "bytes" in fault:
            return self.give(200, b'{"result": "%s"}' % (b"x" * fault["bytes"]))
        if "body" in fault or "status" in fault:
            return self.give(fault.get("status", 200), fault.get("body", "{}").encode())
        if not self.path.startswith("/v1/data/"):
            return self.give(404, b"{}")
        query = "data." + ".".join(self.path[len("/v1/data/"):].split("/"))
        result = self.server.engine.ask(query, document.get("input"))
        self.give(200, json.dumps({} if result is None else {"result": result}).encode())


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "serve":
        Server(sys.argv[2], int(sys.argv[3])).serve_forever()
    elif len(sys.argv) == 5 and sys.argv[1] == "answer":
        answer_lines(*sys.argv[2:])
    else:
        sys.exit(__doc__)
