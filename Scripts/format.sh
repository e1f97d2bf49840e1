#!/usr/bin/env bash
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
#
# Formats every Swift file of the repository in place.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
require_swift
paths=(Package.swift Sources Tests)
[ -d Benchmarks ] && paths+=(Benchmarks)
swift format --in-place --parallel --recursive "${paths[@]}"
