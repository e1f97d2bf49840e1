#!/usr/bin/env bash
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
#
# System libraries the build needs, by apt-get, only those that are missing. Quiet and quick when all are there.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

packages=(ca-certificates curl libpq-dev libsqlite3-dev pkg-config zlib1g-dev)
[ "${1:-}" = "--with-peers" ] && packages+=(openssl python3 python3-venv)

require_swift
command -v dpkg-query >/dev/null || {
    pkg-config --exists libpq sqlite3 zlib || fail "not a Debian system: install the development files of libpq, sqlite3 and zlib, and pkg-config"
    exit 0
}

missing=()
for package in "${packages[@]}"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

say "installing ${missing[*]}"
install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}")
# The package lists may be absent (a fresh container) or old: fetch them only when the first try fails.
as_root "${install[@]}" </dev/null >/dev/null 2>&1 || {
    as_root apt-get update -qq </dev/null
    as_root "${install[@]}" </dev/null >/dev/null
}
