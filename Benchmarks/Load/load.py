#!/usr/bin/env python3
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
"""Throughput and latency of Tollgate's hot doors under wrk, each as a ratio to a bare Hummingbird route of the same shape.

Both servers run for the whole measurement and are loaded in turns, so that what else the machine does hits both alike.
Prints Markdown; the median of the rounds counts. Afterwards the load goes on until a million decisions were made, for
the memory that Tollgate then holds.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

from server import ADMIN_TOKEN, Tollgate, free_port, memory_mebibytes, wait_for
from wrk import Shape, lua

HOST = "api.acme.example"
MANIFESTS = f"""
apiVersion: tollgate.dev/v1alpha1
kind: AuthConfig
metadata: {{name: bench, namespace: acme}}
spec:
  hosts: ["{HOST}"]
  mode: required
"""


def report(shapes):
    print("| route | requests/s | p50 µs | p99 µs | ratio to the bare route, rounds from to | server's processor time, µs a request |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for bare, door in shapes:
        # Both of a round ran one after the other. The spread says how far the machine let them be compared.
        ratios = sorted(one[0] / other[0] for one, other in zip(door.rounds, bare.rounds))
        ratio = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        for shape in bare, door:
            rate, middle, high, spent = (statistics.median(column) for column in zip(*shape.rounds))
            shown = ratio if shape is door else ""
            print(f"| {shape.name} | {rate:,.0f} | {middle:,.0f} | {high:,.0f} | {shown} | {spent:.1f} |")


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--tollgate", required=True)
    options.add_argument("--bare", required=True)
    options.add_argument("--wrk", default="wrk")
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--seconds", type=int, default=5)
    options.add_argument("--connections", type=int, default=64)
    options.add_argument("--decisions", type=int, default=1_000_000)
    options = options.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/manifests")
        with open(f"{folder}/manifests/bench.yaml", "w") as file:
            file.write(MANIFESTS)
        with Tollgate(options.tollgate, folder) as gate:
            gate.wait_until_ready()
            measure(options, folder, gate)


def measure(options, folder, gate):
    grant = json.dumps({"identifier": "bench", "scopes": ["decisions:evaluate", "tasks:read"]}).encode()
    token = json.loads(gate.call("/v1/service-tokens", ADMIN_TOKEN, grant))["secret"]
    described = json.dumps({"request": {
        "method": "GET", "host": HOST, "path": "/v1/agent/tasks", "scheme": "https",
        "headers": {"authorization": f"Bearer {token}", "accept": "application/json"}, "source_ip": "203.0.113.7"}})
    answer = gate.call("/v1/decisions", token, described.encode())
    if json.loads(answer)["decision"] != "allow":
        raise SystemExit(f"the benchmark's own decision was refused: {answer!r}")
    port = free_port()
    bare = subprocess.Popen([options.bare, str(port), str(len(answer))])
    try:
        base = f"http://127.0.0.1:{port}/bare"
        wait_for(base, bare)
        auth = {"Authorization": f"Bearer {token}"}
        get, post = f"{folder}/forward.lua", f"{folder}/decision.lua"
        lua(get, "GET", auth | {
            "X-Original-URL": f"https://{HOST}/v1/agent/tasks", "X-Original-Method": "GET",
            "X-Forwarded-For": "203.0.113.7"}, None)
        lua(post, "POST", auth | {"Content-Type": "application/json"}, described)
        shapes = [
            (Shape("GET, bare route", get, base, bare.pid),
             Shape("forward-auth, nginx door", get, f"{gate.base}/v1/forward-auth/nginx", gate.process.pid)),
            (Shape(f"POST of {len(described)} bytes, bare route answering {len(answer)}", post, base, bare.pid),
             Shape("POST /v1/decisions", post, f"{gate.base}/v1/decisions", gate.process.pid)),
        ]
        for pair in shapes:
            for shape in pair:
                shape.load(options.wrk, 1, options.connections)
        for _ in range(options.rounds):
            for pair in shapes:
                for shape in pair:
                    shape.rounds.append(shape.load(options.wrk, options.seconds, options.connections))
        report(shapes)
        doors = [door for _, door in shapes]
        while sum(door.requests for door in doors) < options.decisions:
            for door in doors:
                door.load(options.wrk, options.seconds, options.connections)
        decisions = sum(door.requests for door in doors)
        whole, anonymous = memory_mebibytes(gate.process.pid)
        print(f"\nResident memory of Tollgate after {decisions:,} decisions: {whole:.1f} MiB, of which {anonymous:.1f} "
              "MiB are its own and the rest is mapped from the binary and libraries.")
    finally:
        bare.kill()
        bare.wait()


if __name__ == "__main__":
    sys.exit(main())
