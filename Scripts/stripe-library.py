#!/usr/bin/env python3
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
"""Stripe's own library, for the tests.

    stripe-library.py version
    stripe-library.py sign SECRET TIME FILE     writes the Stripe-Signature of the bytes in a file
    stripe-library.py check SECRET HEADER FILE  writes the type of the event, or fails
"""
import sys
from importlib.metadata import version

import stripe


def main(arguments):
    if arguments == ["version"]:
        print(version("stripe"))
        return
    command, secret, word, path = arguments
    with open(path, encoding="utf-8", newline="") as file:
        body = file.read()
    if command == "sign":
        print(f"t={word},v1={stripe.WebhookSignature._compute_signature(f'{word}.{body}', secret)}")
    elif command == "check":
        print(stripe.Webhook.construct_event(body, word, secret, tolerance=None).type)
    else:
        sys.exit(f"no command {command}")


main(sys.argv[1:])
