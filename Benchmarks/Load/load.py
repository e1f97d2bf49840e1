#!/usr/bin/env python3
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
"""Throughput and latency of Tollgate's hot doors under wrk, each as a ratio to a bare Hummingbird route of the same shape.

Both servers run for the whole measurement and are loaded in turns, so that what else the machine does hits both alike.
Prints a Markdown table; the median of the rounds counts.
"""
import argparse
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HOST = "api.acme.example"
MANIFESTS = """
apiVersion: tollgate.dev/v1alpha1
kind: AuthConfig
metadata: {name: bench}
spec:
  hosts: ["%s"]
  mode: required
""" % HOST


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(url, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"{url} did not answer within {seconds} s")


def call(url, token, body=None):
    request = urllib.request.Request(url, data=body, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read()


def lua(path, method, headers, body):
    with open(path, "w") as script:
        script.write(f'wrk.method = "{method}"\n')
        for name, value in headers.items():
            script.write(f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}\n")
        if body is not None:
            script.write(f"wrk.body = {json.dumps(body)}\n")


def wrk(script, url, seconds, connections):
    text = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script, url],
        check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"errors under load at {url}:\n{text}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
    unit = {"us": 1, "ms": 1000, "s": 1_000_000}
    latency = {}
    for percentile in ("50%", "99%"):
        number, suffix = re.search(percentile + r"\s+([\d.]+)(us|ms|s)", text).groups()
        latency[percentile] = float(number) * unit[suffix]
    return rate, latency["50%"], latency["99%"]


def resident_mebibytes(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) / 1024


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--tollgate", required=True)
    options.add_argument("--bare", required=True)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=int, default=5)
    options.add_argument("--connections", type=int, default=64)
    options = options.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/manifests")
        with open(f"{folder}/manifests/bench.yaml", "w") as file:
            file.write(MANIFESTS)
        port, probe, bare = free_port(), free_port(), free_port()
        admin = "bench-admin-token-bench-admin-token-1"
        environment = {
            "PATH": os.environ["PATH"], "TOLLGATE_LISTEN": f"127.0.0.1:{port}",
            "TOLLGATE_PROBE_LISTEN": f"127.0.0.1:{probe}", "TOLLGATE_TRUSTED_PROXIES": "127.0.0.0/8",
            "TOLLGATE_DATA_DIR": f"{folder}/data", "TOLLGATE_AUTH_TOKEN": admin, "LOG_LEVEL": "warning",
        }
        servers = []
        try:
            with open(f"{folder}/tollgate.log", "w") as log:
                servers.append(subprocess.Popen(
                    [options.tollgate, "run", "--manifests", f"{folder}/manifests"], env=environment, stdout=log,
                    stderr=log))
            base = f"http://127.0.0.1:{port}"
            wait_for(f"http://127.0.0.1:{probe}/readyz")
            grant = json.dumps({"identifier": "bench", "scopes": ["decisions:evaluate", "tasks:read"]}).encode()
            token = json.loads(call(f"{base}/v1/service-tokens", admin, grant))["secret"]
            described = json.dumps({"request": {
                "method": "GET", "host": HOST, "path": "/v1/agent/tasks", "scheme": "https",
                "headers": {"authorization": f"Bearer {token}", "accept": "application/json"},
                "source_ip": "203.0.113.7"}})
            answer = call(f"{base}/v1/decisions", token, described.encode())
            if json.loads(answer)["decision"] != "allow":
                raise SystemExit(f"the benchmark's own decision was refused: {answer!r}")
            servers.append(subprocess.Popen([options.bare, str(bare), str(len(answer))]))
            wait_for(f"http://127.0.0.1:{bare}/bare")

            auth = {"Authorization": f"Bearer {token}"}
            lua(f"{folder}/forward.lua", "GET", auth | {
                "X-Original-URL": f"https://{HOST}/v1/agent/tasks", "X-Original-Method": "GET",
                "X-Forwarded-For": "203.0.113.7"}, None)
            lua(f"{folder}/decision.lua", "POST", auth | {"Content-Type": "application/json"}, described)
            shapes = [
                ("GET, bare route", f"{folder}/forward.lua", f"http://127.0.0.1:{bare}/bare"),
                ("forward-auth, nginx door", f"{folder}/forward.lua", f"{base}/v1/forward-auth/nginx"),
                ("POST, bare route", f"{folder}/decision.lua", f"http://127.0.0.1:{bare}/bare"),
                ("POST /v1/decisions", f"{folder}/decision.lua", f"{base}/v1/decisions"),
            ]
            results = {name: [] for name, _, _ in shapes}
            for _, script, url in shapes:
                wrk(script, url, 1, options.connections)
            for _ in range(options.rounds):
                for name, script, url in shapes:
                    results[name].append(wrk(script, url, options.seconds, options.connections))
            print("| route | requests/s | p50 µs | p99 µs | ratio to the bare route |")
            print("| --- | ---: | ---: | ---: | ---: |")
            reference = 0
            for index, (name, _, _) in enumerate(shapes):
                rate, middle, high = (statistics.median(column) for column in zip(*results[name]))
                if index % 2 == 0:
                    reference = rate
                ratio = "" if index % 2 == 0 else f"{rate / reference:.2f}"
                print(f"| {name} | {rate:,.0f} | {middle:,.0f} | {high:,.0f} | {ratio} |")
            print(f"\nResident memory of Tollgate after this load: {resident_mebibytes(servers[0].pid):.1f} MiB.")
        finally:
            for server in servers:
                server.send_signal(signal.SIGKILL)
                server.wait()


if __name__ == "__main__":
    sys.exit(main())
