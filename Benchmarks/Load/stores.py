#!/usr/bin/env python3
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
"""What PostgreSQL and Redis in the place of the embedded stores cost: decisions, and tokens made.

Two daemons run for the whole measurement, one with SQLite alone and one with PostgreSQL and Redis, and are loaded in turns, so that
what else the machine does hits both alike. Prints Markdown; the median of the rounds counts.
"""
import argparse
import base64
import hashlib
import hmac
import json
import os
import re
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

from peers import PostgreSQL, PostgreSQLInserts, Redis, percentile
from server import ADMIN_TOKEN, Tollgate
from wrk import Shape, lua

HOST, LIMITED_HOST = "api.acme.example", "limited.acme.example"
PATH = "/v1/agent/tasks"
ISSUER, AUDIENCE, KEY = "https://id.acme.example", "acme-api", "the-key-of-the-benchmark-has-48-bytes-of-text-.."
MANIFESTS = f"""
apiVersion: v1
kind: Secret
metadata: {{name: issuer, namespace: acme, labels: {{tollgate.dev/managed: "true"}}}}
type: Opaque
stringData: {{hs256: "{KEY}"}}
---
apiVersion: tollgate.dev/v1alpha1
kind: AuthConfig
metadata: {{name: bench, namespace: acme}}
spec:
  hosts: ["{HOST}"]
  mode: required
  issuers:
    - name: sign-in
      issuer: {ISSUER}
      secretRef: {{name: issuer, key: hs256}}
      algorithms: [HS256]
      audiences: [{AUDIENCE}]
      tenant: acme
---
apiVersion: tollgate.dev/v1alpha1
kind: AuthConfig
metadata: {{name: limited, namespace: acme}}
spec:
  hosts: ["{LIMITED_HOST}"]
  mode: required
  rate: {{minute: 1000000000, hour: 1000000000, day: 1000000000}}
"""
# A question that Redis answers late is counted in memory and would be a figure of something else.
PATIENCE = {"TOLLGATE_DECISION_TIMEOUT": "30s", "TOLLGATE_REDIS_TIMEOUT": "5s"}


def json_web_token():
    def text(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    now = int(time.time())
    head = {"alg": "HS256", "typ": "JWT"}
    claims = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": "user-1", "iat": now, "exp": now + 86_400, "scope": "tasks:read",
        "realm_access": {"roles": ["editor"]}}
    content = b".".join(text(json.dumps(part).encode()) for part in (head, claims))
    return (content + b"." + text(hmac.new(KEY.encode(), content, hashlib.sha256).digest())).decode()


def report_line(name, stores, rounds, rest):
    rate, middle, high = (statistics.median(column) for column in list(zip(*rounds))[:3])
    print(f"| {name} | {stores} | {rate:,.0f} | {middle:,.0f} | {high:,.0f} | {rest} |")


def ratio(rounds, reference, loads=1):
    """Of rates that were measured in turns, so many loads a round: the median, and how far the machine let them be compared."""
    def rates(entries):
        return [sum(entry[0] for entry in entries[start:start + loads]) for start in range(0, len(entries), loads)]

    ratios = sorted(one / other for one, other in zip(rates(rounds), rates(reference)))
    return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"


# Decisions


def forward_auth(gate, name, host, token):
    """Load of the forward-auth door; one request of it must be allowed."""
    headers = {
        "Authorization": f"Bearer {token}", "X-Original-URL": f"https://{host}{PATH}", "X-Original-Method": "GET",
        "X-Forwarded-For": "203.0.113.7"}
    url = f"{gate.base}/v1/forward-auth/nginx"
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
        if answer.status != 200:
            raise SystemExit(f"the benchmark's own decision ({name}) was answered {answer.status}")
    script = f"{gate.folder}/{host}-{hashlib.sha256(token.encode()).hexdigest()[:8]}.lua"
    lua(script, "GET", headers, None)
    return Shape(name, script, url, gate.process.pid)


def shapes_of(gate):
    grant = json.dumps({"identifier": "bench", "scopes": ["tasks:read"]}).encode()
    token = json.loads(gate.call("/v1/service-tokens", ADMIN_TOKEN, grant))["secret"]
    return [
        forward_auth(gate, "service token", HOST, token), forward_auth(gate, "JWT", HOST, json_web_token()),
        forward_auth(gate, "service token, a limit of its AuthConfig", LIMITED_HOST, token)]


def counted_in_memory(gate):
    """Requests that the daemon counted by itself although it has a Redis."""
    with urllib.request.urlopen(f"{gate.probe}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    counts = dict(re.findall(r'^tollgate_rate_limit_store_total\{store="(\w+)"\} (\d+)', text, re.MULTILINE))
    if int(counts["shared"]) == 0:
        raise SystemExit("the limit was never counted in Redis")
    return int(counts["memory"])


def measure_decisions(options, embedded, shared):
    pairs = list(zip(shapes_of(embedded), shapes_of(shared)))
    for pair in pairs:
        for shape in pair:
            shape.load(options.wrk, 1, options.connections)
    for _ in range(options.rounds):
        for one, other in pairs:
            # A machine that gets slower or faster meanwhile favours neither.
            for shape in one, other, other, one:
                shape.rounds.append(shape.load(options.wrk, options.seconds, options.connections))
    if counted_in_memory(shared) > 0:
        raise SystemExit("Redis did not answer in time: what was measured is no shared limit")
    print("| forward-auth, nginx door | stores | requests/s | p50 µs | p99 µs | ratio to SQLite alone, rounds from to "
          "| aim | server's processor time, µs a request |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for one, other in pairs:
        aim = "" if LIMITED_HOST in one.script else "≥ 0.95"
        for shape, stores, rest in [
                (one, "SQLite", " | "), (other, "PostgreSQL, Redis", f"{ratio(other.rounds, one.rounds, loads=2)} | {aim}")]:
            spent = statistics.median(entry[3] for entry in shape.rounds)
            report_line(shape.name, stores, shape.rounds, f"{rest} | {spent:.1f}")


# Tokens


class SQLiteInserts:
    """Rows of a table without anything around it, one a transaction, by one connection: SQLite has one writer at a time."""

    def __init__(self, folder, text):
        self.text, self.number = text, 0
        self.database = sqlite3.connect(f"{folder}/reference.sqlite", isolation_level=None)
        # As Tollgate's own.
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("PRAGMA synchronous = FULL")
        self.database.execute("CREATE TABLE reference (id TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID")

    def run(self, seconds, _):
        times = []
        start = now = time.perf_counter()
        while now - start < seconds:
            self.number += 1
            self.database.execute("INSERT INTO reference VALUES (?, ?)", (f"{self.number:032x}", self.text))
            before, now = now, time.perf_counter()
            times.append((now - before) * 1_000_000)
        return len(times) / (now - start), statistics.median(times), percentile(times, 0.99)


def measure_tokens(options, embedded, shared, server, folder):
    # About as long as what is kept of a token.
    text = "x" * 500
    stores = [
        ("SQLite", embedded, SQLiteInserts(folder, text)),
        ("PostgreSQL", shared, PostgreSQLInserts(server, folder, text))]
    body = json.dumps({"description": "made by the benchmark", "scopes": ["tasks:read"], "expires_in_seconds": 3600})
    rows = []
    for name, gate, inserts in stores:
        script = f"{gate.folder}/create.lua"
        lua(script, "POST", {"Authorization": f"Bearer {ADMIN_TOKEN}", "Content-Type": "application/json"}, body)
        for clients in 1, 16:
            shape = Shape(name, script, f"{gate.base}/v1/service-tokens", gate.process.pid)
            rows.append((shape, clients, inserts, []))
    for shape, clients, inserts, _ in rows:
        inserts.run(1, clients)
        shape.load(options.wrk, 1, clients)
    for _ in range(options.token_rounds):
        for shape, clients, inserts, reference in rows:
            reference.append(inserts.run(options.token_seconds, clients))
            shape.rounds.append(shape.load(options.wrk, options.token_seconds, clients))
    print("| what | stores, clients at once | a second | p50 µs | p99 µs | ratio to the bare row, rounds from to |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for shape, clients, inserts, reference in rows:
        writers = 1 if isinstance(inserts, SQLiteInserts) else clients
        report_line("a bare row, committed", f"{shape.name}, {writers}", reference, "")
        report_line(
            "POST /v1/service-tokens", f"{shape.name}, {clients}", shape.rounds, ratio(shape.rounds, reference))


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--tollgate", required=True)
    options.add_argument("--peers", required=True, help="the folder that Scripts/setup-peers.sh fills")
    options.add_argument("--rounds", type=int, default=12, help="of decisions, four loads each")
    options.add_argument("--seconds", type=int, default=1, help="of a load of decisions")
    options.add_argument("--token-rounds", type=int, default=3)
    options.add_argument("--token-seconds", type=int, default=2)
    options.add_argument("--connections", type=int, default=64)
    options = options.parse_args()
    options.wrk = f"{options.peers}/bin/wrk"
    # Whatever ends the benchmark, its servers end with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    with tempfile.TemporaryDirectory() as folder, PostgreSQL(options.peers) as server, \
            Redis(options.peers, folder) as redis:
        for name in "embedded", "shared":
            os.makedirs(f"{folder}/{name}/manifests")
            with open(f"{folder}/{name}/manifests/bench.yaml", "w") as file:
                file.write(MANIFESTS)
        subprocess.run(
            [options.tollgate, "db", "migrate"], check=True, stdout=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "TOLLGATE_DATABASE_ADMIN_URL": server.url("gate_admin")})
        stores = {"TOLLGATE_DATABASE_URL": server.url("gate"), "REDIS_URL": redis.url}
        with Tollgate(options.tollgate, f"{folder}/embedded", PATIENCE) as embedded, \
                Tollgate(options.tollgate, f"{folder}/shared", PATIENCE | stores) as shared:
            for gate in embedded, shared:
                gate.wait_until_ready()
            print("### Decisions\n")
            print(f"wrk with one thread and {options.connections} connections. One daemon has SQLite alone and counts requests in memory, the "
                  "other one PostgreSQL (credentials, audit entries) and Redis (request limits, failures).\nThe first two decisions need "
                  "their snapshot only; the last one is counted each time, in memory or in Redis.\n")
            measure_decisions(options, embedded, shared)
            print("\n### Tokens made\n")
            print("Each is on disk when it is answered, and so is its audit entry: in a segment, and with PostgreSQL in the database as well. One "
                  "follows the other.\nThe bare row has 500 bytes and a transaction of its own, by one connection of Python's sqlite3 (WAL, "
                  "`synchronous=FULL`) and by pgbench with as many clients;\nPostgreSQL has its own settings, `fsync=on` among them.\n")
            measure_tokens(options, embedded, shared, server, folder)


if __name__ == "__main__":
    main()
