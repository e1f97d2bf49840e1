#!/usr/bin/env python3
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
"""Makes manifests/base and manifests/monitoring from the chart, by Helm's own engine: one source, two ways to install.

    .peers/venv/bin/python Scripts/generate-manifests.py [FOLDER]     default: manifests/; a test compares what is there
"""
import os
import sys

import helm_python

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HEADER = "# Made by Scripts/generate-manifests.py from chart/; do not edit.\n"
# file below manifests/: templates it is made of, values beside the defaults
MADE = {
    "base/rbac.yaml": (["serviceaccount.yaml", "rbac.yaml", "rbac-people.yaml"], {}),
    "base/deployment.yaml": (["persistentvolumeclaim.yaml", "deployment.yaml"], {}),
    "base/service.yaml": (["service.yaml"], {}),
    "base/networkpolicy.yaml": (["networkpolicy.yaml"], {}),
    "monitoring/monitoring.yaml": (["monitoring.yaml"], {
        "serviceMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}, "grafana": {"enabled": True}}),
    "monitoring/service.yaml": (["service.yaml"], {"serviceMonitor": {"enabled": True}}),
}
# file below manifests/: file of the chart that it is a copy of
COPIED = {
    "monitoring/prometheus/tollgate-rules.yaml": "files/prometheus-rules.yaml",
    "monitoring/grafana/tollgate-healing.json": "files/dashboard.json",
}
# What only Helm knows or needs.
HELM_ONLY = ("helm.sh/chart:", "app.kubernetes.io/managed-by: Helm", "helm.sh/resource-policy:", "checksum/",
             "# The store and the audit trail outlive the release.")


def document_texts(text):
    parts = [part.strip("\n") for part in ("\n" + text).split("\n---\n")]
    return [part for part in parts if part.strip()]


def plain(text):
    """A document without what only Helm needs, and without a key that has nothing left below it."""
    lines = [line for line in text.split("\n") if not line.strip().startswith(HELM_ONLY)]
    kept = []
    for index, line in enumerate(lines):
        if line.strip() == "annotations:":
            after = lines[index + 1] if index + 1 < len(lines) else ""
            if len(after) - len(after.lstrip()) <= len(line) - len(line.lstrip()):
                continue
        kept.append(line)
    return "\n".join(kept)


def made():
    with helm_python.Chart.load(os.path.join(HERE, "chart")) as chart:
        for name, (templates, values) in MADE.items():
            rendered = chart.render(values, name="tollgate", namespace="tollgate-system")
            texts = []
            for template in templates:
                texts += document_texts(rendered["tollgate/templates/" + template])
            if name == "monitoring/service.yaml":
                texts = texts[1:]  # the first is in the base
            yield name, HEADER + "".join("---\n" + plain(text) + "\n" for text in texts)
    for name, source in COPIED.items():
        with open(os.path.join(HERE, "chart", source)) as file:
            # JSON has no comments.
            yield name, (HEADER if name.endswith(".yaml") else "") + file.read()


if __name__ == "__main__":
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "manifests")
    for name, text in made():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
