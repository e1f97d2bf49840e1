#!/usr/bin/env bash
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
#
# Builds Tollgate and runs it on manifests/samples at 127.0.0.1, with loopback as the one trusted proxy and its data in
# .tollgate/. Every setting below can be given in the environment instead; words after the script go to `tollgate run`.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

Scripts/setup.sh
say "building the release binary (the first time takes some minutes)"
swift build -c release --static-swift-stdlib --product tollgate

export TOLLGATE_LISTEN=${TOLLGATE_LISTEN:-127.0.0.1:8080}
export TOLLGATE_PROBE_LISTEN=${TOLLGATE_PROBE_LISTEN:-127.0.0.1:8081}
export TOLLGATE_TRUSTED_PROXIES=${TOLLGATE_TRUSTED_PROXIES:-127.0.0.0/8,::1/128}
export TOLLGATE_DATA_DIR=${TOLLGATE_DATA_DIR:-$TOLLGATE_ROOT/.tollgate}
export TOLLGATE_NAMESPACE_TENANTS=${TOLLGATE_NAMESPACE_TENANTS:-acme=acme}
export TOLLGATE_LOG_FORMAT=${TOLLGATE_LOG_FORMAT:-text}

exec "$(swift build -c release --static-swift-stdlib --show-bin-path)/tollgate" run --manifests manifests/samples "$@"
