#!/usr/bin/env bash
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
#
# Builds Tollgate and runs it on manifests/samples at 127.0.0.1, with loopback as the one trusted proxy and its data in
# .tollgate/, and prints calls to try. Every setting below can be given in the environment instead; words after the
# script go to `tollgate run`.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

Scripts/setup.sh
say "building the release binary (the first time takes some minutes)"
swift build -c release --static-swift-stdlib --product tollgate

export TOLLGATE_LISTEN=${TOLLGATE_LISTEN:-127.0.0.1:8080}
export TOLLGATE_PROBE_LISTEN=${TOLLGATE_PROBE_LISTEN:-127.0.0.1:8081}
export TOLLGATE_TRUSTED_PROXIES=${TOLLGATE_TRUSTED_PROXIES:-127.0.0.0/8,::1/128}
export TOLLGATE_DATA_DIR=${TOLLGATE_DATA_DIR:-$repository/.tollgate}
export TOLLGATE_NAMESPACE_TENANTS=${TOLLGATE_NAMESPACE_TENANTS:-acme=acme}
export TOLLGATE_LOG_FORMAT=${TOLLGATE_LOG_FORMAT:-text}

# hints: the address and calls that work when they are pasted, once the server is ready. They name the files that hold the
# tokens, so that no token stands in a terminal's history.
hints() {
    local api="http://$TOLLGATE_LISTEN" admin job
    until curl -fs -o /dev/null "http://$TOLLGATE_PROBE_LISTEN/readyz"; do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 0.1
    done
    # What the server logs about its start comes first.
    sleep 0.3
    admin="Authorization: Bearer \$(cat '$TOLLGATE_DATA_DIR/admin-token')"
    job="Authorization: Bearer \$(sed -n 's/^  token: //p' '$TOLLGATE_DATA_DIR/secrets/acme/nightly-token.yaml')"
    cat <<EOF

Tollgate answers at $api (probes and metrics at http://$TOLLGATE_PROBE_LISTEN). Its data is in $TOLLGATE_DATA_DIR.
Paste these into another terminal:

# the own API: which objects are in force
curl -s $api/v1/resources -H "$admin"

# a decision as JSON: may the nightly job read the tasks? (allow)
curl -s $api/v1/decisions -H "$admin" -d "{\"request\":{\"method\":\"GET\",\"host\":\"api.acme.example\",\"path\":\"/v1/agent/tasks\",\"source_ip\":\"127.0.0.1\",\"headers\":{\"authorization\":\"Bearer \$(sed -n 's/^  token: //p' '$TOLLGATE_DATA_DIR/secrets/acme/nightly-token.yaml')\"}}}"

# forward-auth as nginx asks: allowed (200, identity headers) …
curl -i $api/v1/forward-auth/nginx -H 'X-Original-Method: GET' -H 'X-Original-URL: https://api.acme.example/v1/agent/tasks' -H "$job"

# … nobody known (401) …
curl -i $api/v1/forward-auth/nginx -H 'X-Original-Method: GET' -H 'X-Original-URL: https://api.acme.example/v1/agent/tasks'

# … and known but not allowed (403)
curl -i $api/v1/forward-auth/nginx -H 'X-Original-Method: DELETE' -H 'X-Original-URL: https://api.acme.example/v1/agent/tasks/t1' -H "$job"

EOF
}

if command -v curl >/dev/null; then hints "$$" & fi
exec "$(swift build -c release --static-swift-stdlib --show-bin-path)/tollgate" run --manifests manifests/samples "$@"
