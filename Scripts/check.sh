#!/usr/bin/env bash
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
#
# Everything a machine can say about the sources without building them. Runs all checks, then fails if one did.
set -uo pipefail
. "$(dirname "$0")/lib.sh"
require_swift

failed=()
check() {
    local name=$1
    shift
    "$@" || failed+=("$name")
}

lint() {
    local paths=(Package.swift Sources Tests)
    [ -d Benchmarks ] && paths+=(Benchmarks)
    swift format lint --strict --parallel --recursive "${paths[@]}"
}

shell_lint() {
    if command -v shellcheck >/dev/null; then
        shellcheck --external-sources --source-path=SCRIPTDIR Scripts/*.sh .ci/run
    else
        say "shellcheck is not installed: shell scripts are only parsed"
        local script
        for script in Scripts/*.sh .ci/run; do bash -n "$script" || return 1; done
    fi
}

check "format" lint
check "layers" Scripts/layers.sh
check "bans" Scripts/bans.sh
check "shell" shell_lint

[ ${#failed[@]} -eq 0 ] || fail "check: ${failed[*]} failed"
say "check: format, layers, bans, shell are clean"
