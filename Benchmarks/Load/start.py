#!/usr/bin/env python3
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
"""How long Tollgate takes from its start until it is ready, with 1,000 objects in its manifests.

The first start also makes the text of every ServiceToken and writes each to its Secret; the starts after it find them.
"""
import argparse
import os
import statistics
import sys
import tempfile
import time

from server import Tollgate

KINDS = ["AuthConfig", "ServiceToken", "Subscription", "ToolManifest", "ConfigMap"]


def document(kind, number):
    metadata = f"metadata: {{name: bench-{number}, namespace: acme}}"
    if kind == "ConfigMap":
        return f"apiVersion: v1\nkind: ConfigMap\n{metadata}\ndata: {{note: \"object {number}\"}}\n"
    spec = {
        "AuthConfig": f"hosts: [\"h{number}.acme.example\"], mode: required",
        "ServiceToken": f"secretName: bench-{number}, tenant: acme, scopes: [\"tasks:read\"]",
        "Subscription": f"tenant: acme-{number}, source: manual, plan: pro",
        "ToolManifest": f"manifest: {{name: tool-{number}}}",
    }[kind]
    return f"apiVersion: tollgate.dev/v1alpha1\nkind: {kind}\n{metadata}\nspec: {{{spec}}}\n"


def milliseconds_to_ready(binary, folder):
    with Tollgate(binary, folder) as gate:
        start = time.monotonic()
        gate.wait_until_ready(pause=0.002)
        return (time.monotonic() - start) * 1000


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--tollgate", required=True)
    options.add_argument("--objects", type=int, default=1000)
    options.add_argument("--rounds", type=int, default=7)
    options = options.parse_args()
    each = options.objects // len(KINDS)
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/manifests")
        for kind in KINDS:
            with open(f"{folder}/manifests/{kind.lower()}.yaml", "w") as file:
                file.write("---\n".join(document(kind, number) for number in range(each)))
        first = milliseconds_to_ready(options.tollgate, folder)
        later = [milliseconds_to_ready(options.tollgate, folder) for _ in range(options.rounds)]
    kinds = ", ".join(f"{each} {kind}" for kind in KINDS)
    print(f"From the start of the process until `/readyz` answers 200, with {each * len(KINDS)} objects ({kinds}):\n")
    print("| start | ms |")
    print("| --- | ---: |")
    print(f"| the first, which makes {each} tokens | {first:.0f} |")
    print(f"| a later one, median of {len(later)} | {statistics.median(later):.0f} |")


if __name__ == "__main__":
    sys.exit(main())
