# shellcheck shell=bash
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
#
# What the scripts share. Sourced, never run; leaves the caller at the root of the repository.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
repository=$PWD

# say WORDS: one line of progress.
say() { printf '==> %s\n' "$*"; }

# fail WORDS: one line that says what is wrong and how to mend it, then exit 1.
fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# require_swift: stop unless the toolchain is on the path.
require_swift() {
    command -v swift >/dev/null || fail "swift is not on the PATH: install Swift 6.3 from https://www.swift.org/install"
}

# as_root COMMAND…: run as root, through sudo when we are not.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "needs root to run: $*"
    fi
}

# timed NAME COMMAND…: run a step, print how long it took, keep its status.
timed() {
    local name=$1 started=$SECONDS status=0
    shift
    say "$name"
    "$@" || status=$?
    printf '    %s: %d s%s\n' "$name" $((SECONDS - started)) "$([ $status -eq 0 ] || echo ", FAILED")"
    return $status
}
