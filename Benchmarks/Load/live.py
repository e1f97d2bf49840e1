#!/usr/bin/env python3
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
"""Live events: how long they take to many clients, and what becomes of those who do not read.

Each request to the API makes an entry of the audit trail, and each entry is an event to every client. Requests come at a steady rate
over one connection; one process reads all clients, on the same machine. Prints Markdown.
"""
import argparse
import json
import os
import re
import resource
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from peers import percentile
from server import Tollgate, memory_mebibytes, processor_seconds

MANIFESTS = """
apiVersion: tollgate.dev/v1alpha1
kind: AuthConfig
metadata: {name: bench, namespace: acme}
spec: {hosts: ["api.acme.example"], mode: required}
"""
TIME = re.compile(rb'"timestamp":"\d{4}-\d\d-\d\dT(\d\d):(\d\d):(\d\d\.\d{6})Z"[^\n]*"resource":"/v1/auth/me"')
MINE = b'"resource":"/v1/auth/me"'


def seconds_of_day():
    return time.time() % 86_400


class Client:
    """One stream. It keeps how many events came, and of some how long they took."""

    def __init__(self, gate, token, small=False):
        self.socket = socket.socket()
        if small:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        self.socket.connect(("127.0.0.1", gate.port))
        self.socket.sendall(
            f"GET /events?stream=audit HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        head = b""
        while b"retry: 3000\n" not in head:
            part = self.socket.recv(65_536)
            if not part:
                raise SystemExit(f"no stream: {head[:300]!r}")
            head += part
        self.socket.setblocking(False)
        self.rest = b""
        self.events = 0
        self.lost = False
        self.waits = []

    def read(self, every):
        """Takes what came; `every` event is timed, or only the oldest of each piece."""
        try:
            part = self.socket.recv(1 << 20)
        except BlockingIOError:
            return True
        now = seconds_of_day()
        if not part:
            self.lost = True
            return False
        text = self.rest + part
        cut = text.rfind(b"\n\n") + 2
        if cut < 2:
            self.rest = text
            return True
        text, self.rest = text[:cut], text[cut:]
        self.events += text.count(MINE)
        if b"event: overflow" in text:
            self.lost = True
        if every:
            found = TIME.findall(text)
        else:
            first = TIME.search(text)
            found = [first.groups()] if first else []
        for hour, minute, second in found:
            self.waits.append((now - (int(hour) * 3600 + int(minute) * 60 + float(second))) % 86_400)
        return True


class Requests(threading.Thread):
    """Asks at a steady rate over one connection, in a process of its own, and counts the answers."""

    def __init__(self, gate, token, rate, seconds):
        super().__init__()
        code = f"""
import socket, time, threading
s = socket.create_connection(("127.0.0.1", {gate.port}))
one = b"GET /v1/auth/me HTTP/1.1\\r\\nHost: bench\\r\\nAuthorization: Bearer {token}\\r\\n\\r\\n"
total, answers = {rate * seconds}, [0]
def read():
    rest = b""
    while answers[0] < total:
        part = s.recv(1 << 18)
        if not part: break
        text = rest + part
        answers[0] += text.count(b"HTTP/1.1 200 OK")
        rest = text[-14:] if not text.endswith(b"HTTP/1.1 200 OK") else b""
reader = threading.Thread(target=read); reader.start()
start, sent = time.monotonic(), 0
while sent < total:
    due = min(total, int((time.monotonic() - start) * {rate}) + 1)
    if due > sent: s.sendall(one * (due - sent)); sent = due
    time.sleep(0.002)
reader.join()
print(answers[0], time.monotonic() - start)
"""
        self.code = code

    def run(self):
        done = subprocess.run([sys.executable, "-c", self.code], capture_output=True, text=True, check=True)
        answers, seconds = done.stdout.split()
        self.answers, self.seconds = int(answers), float(seconds)


def mint(gate, admin, number):
    body = json.dumps({
        "identifier": f"watcher-{number}", "tenant_id": "acme", "roles": ["admin"],
        "scopes": ["monitor:read", "admin:access"]}).encode()
    return json.loads(gate.call("/v1/service-tokens", admin, body))["secret"]


def measure(arguments, clients, stalled, rate, every):
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/manifests")
        with open(f"{folder}/manifests/objects.yaml", "w") as file:
            file.write(MANIFESTS)
        with Tollgate(arguments.tollgate, folder) as gate:
            gate.wait_until_ready()
            admin = gate.environment["TOLLGATE_AUTH_TOKEN"]
            tokens = [mint(gate, admin, number) for number in range((clients + 9) // 10)]
            crowd = [Client(gate, tokens[number // 10], small=number < stalled) for number in range(clients)]
            asleep, awake = crowd[:stalled], crowd[stalled:]
            poll = select.epoll()
            by_file = {}
            for client in awake:
                by_file[client.socket.fileno()] = client
                poll.register(client.socket.fileno(), select.EPOLLIN)
            before = memory_mebibytes(gate.process.pid)[0]
            busy = processor_seconds(gate.process.pid)
            peak = before
            requests = Requests(gate, tokens[0], rate, arguments.seconds)
            total = rate * arguments.seconds
            requests.start()
            looked = deadline = time.monotonic()
            deadline += arguments.seconds + 60
            while time.monotonic() < deadline and min(client.events for client in awake) < total:
                for number, _ in poll.poll(0.2):
                    if not by_file[number].read(every):
                        poll.unregister(number)
                if time.monotonic() - looked > 0.5:
                    looked = time.monotonic()
                    peak = max(peak, memory_mebibytes(gate.process.pid)[0])
            requests.join()
            busy = processor_seconds(gate.process.pid) - busy
            metrics = {}
            with urllib.request.urlopen(f"{gate.probe}/metrics", timeout=10) as answer:
                for line in answer.read().decode().splitlines():
                    if line.startswith("tollgate_events"):
                        name, value = line.rsplit(" ", 1)
                        metrics[name] = float(value)
            short = [client for client in awake if client.events != total or client.lost]
            waits = sorted(wait for client in awake for wait in client.waits)
            given_up = sum(client_is_told(client) for client in asleep)
            report(clients, stalled, rate, requests, total, short, waits, given_up, before, peak, busy, metrics)
            for client in crowd:
                client.socket.close()


def client_is_told(client):
    """Whether a client that did not read was given up: it finds the last words when it reads on."""
    client.socket.settimeout(2)
    text = b""
    try:
        while True:
            part = client.socket.recv(1 << 20)
            if not part:
                break
            text = text[-200:] + part
    except OSError:
        pass
    return b"event: overflow" in text


def report(clients, stalled, rate, requests, total, short, waits, given_up, before, peak, busy, metrics):
    def milliseconds(share):
        return f"{percentile(waits, share) * 1000:,.1f}" if waits else "–"

    print(
        f"| {clients:,} ({stalled} of them do not read) | {rate:,} | {total / requests.seconds:,.0f} | "
        f"{len(short)} | {milliseconds(0.5)} | {milliseconds(0.95)} | {milliseconds(0.99)} | "
        f"{given_up} of {stalled} | {before:,.0f} → {peak:,.0f} | "
        f"{busy / requests.seconds:.2f} |", flush=True)
    for client in short[:5]:
        print(f"{client.events} of {total} events, lost: {client.lost}, {metrics}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tollgate", required=True)
    parser.add_argument("--seconds", type=int, default=60)
    arguments = parser.parse_args()
    print("""
Each request to the API makes an entry, and each entry is an event to every client; it takes from the entry's own time to the
client that has read it, with the sync of the audit trail in between. Clients and requests are on the same two cores. Of the thousand
clients the oldest event of each piece is timed, of the ten every event. "Gave up" are the streams that ended with `overflow`: as many as
the kernel's buffers let run full in this time. Memory is the server's, resident, before and at its highest.

| clients | events a second wanted | done | clients that lost something | p50 ms | p95 ms | p99 ms | gave up | memory MiB | processors of the server |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |""")
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, max(8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    measure(arguments, 1000, 10, 100, every=False)
    measure(arguments, 10, 0, 5000, every=True)


if __name__ == "__main__":
    main()
