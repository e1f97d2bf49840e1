#!/usr/bin/env python3
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
"""Helm's own engine (helm-python-sdk), for the tests.

    helm-engine.py version                 the versions of the library and of Helm in it
    helm-engine.py batch QUESTIONS ANSWERS reads the file of questions, a JSON object a line, and writes the answers, a line
                                           each, in the same order

A question names what to do in "do"; "chart" is a folder, "values" an object.

    {"do": "render", "chart", "values", "name", "namespace"}        offline
    {"do": "lint", "chart", "values"}                               warnings count as errors
    {"do": "install" | "upgrade", "chart", "values", "name", "namespace", "kubeconfig"}
    {"do": "uninstall" | "history" | "rollback", "name", "namespace", "kubeconfig"}

An answer is {"ok": …}, for a rendering {"ok": {template: text}}, or {"error": text}.
"""
import json
import sys

import helm_python


def render(question):
    with helm_python.Chart.load(question["chart"]) as chart:
        values = question.get("values") or {}
        # An installation checks the schema before it renders; so do we.
        chart.validate_schema(values)
        return chart.render(values, name=question.get("name", "tollgate"),
                            namespace=question.get("namespace", "tollgate-system"))


def lint(question):
    report = helm_python.lint(question["chart"], question.get("values") or {}, strict=True)
    found = [entry for entry in report.get("messages") or [] if entry["severity"] >= 2]
    if found or report.get("errors"):
        raise ValueError(json.dumps([found, report.get("errors")]))
    return report.get("messages") or []


def released(question):
    with helm_python.Config(kubeconfig_path=question["kubeconfig"], namespace=question["namespace"]) as config:
        name, act = question["name"], question["do"]
        if act == "uninstall":
            return config.uninstall(name, timeout=300)
        if act == "history":
            return config.history(name)
        if act == "rollback":
            return config.rollback(name, timeout=300)
        values = question.get("values") or {}
        if act == "install":
            return config.install(question["chart"], name, values, create_namespace=True, timeout=300)
        return config.upgrade(question["chart"], name, values, timeout=300)


ACTS = {"render": render, "lint": lint}


def answer(question):
    try:
        return {"ok": ACTS.get(question["do"], released)(question)}
    except Exception as fault:  # what went wrong is the answer
        return {"error": str(fault)}


if __name__ == "__main__":
    if sys.argv[1:] == ["version"]:
        print(helm_python.__version__)
    elif len(sys.argv) == 4 and sys.argv[1] == "batch":
        with open(sys.argv[2]) as asked, open(sys.argv[3], "w") as answered:
            for line in asked:
                answered.write(json.dumps(answer(json.loads(line))) + "\n")
    else:
        sys.exit(__doc__)
