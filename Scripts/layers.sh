#!/usr/bin/env bash
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
#
# Imports go down only: a target imports targets of a lower layer, never one of its own layer or above, and a heavy
# dependency only where it is at home (docs/architecture.md). Every import states its access level.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# layer target
layers='
0 Essentials
1 ResourceModel
1 Authentication
1 Authorization
1 Billing
1 AuditTrail
1 ToolTrust
1 Healing
2 Persistence
2 Connectors
2 KubernetesClient
2 ControllerRuntime
2 ManifestFiles
2 RuntimeState
3 Reconcilers
3 SelfManagement
3 Pipeline
4 HTTPService
4 ExtAuthzService
5 tollgate
'

# module: targets that may import it. A module of a third party that is not listed may be imported nowhere.
homes='
ArgumentParser: tollgate
AsyncHTTPClient: Connectors KubernetesClient tollgate
CInotify: ManifestFiles
CPQ: Persistence
CZlib: AuditTrail
CYaml: ManifestFiles
CoreMetrics: *
Crypto: Essentials Authentication Authorization Billing AuditTrail ToolTrust Healing Persistence Connectors HTTPService
CryptoExtras: Authentication
GRDB: Persistence
GRDBSQLite: Persistence
GRPCCore: ExtAuthzService
GRPCNIOTransportHTTP2Posix: ExtAuthzService
GRPCProtobuf: ExtAuthzService
HTTPTypes: HTTPService
Hummingbird: HTTPService
HummingbirdCore: HTTPService
HummingbirdHTTP2: HTTPService
HummingbirdTLS: HTTPService
JWTKit: Authentication
Logging: *
Metrics: *
NIOCertificateReloading: HTTPService ExtAuthzService
NIOCore: Connectors KubernetesClient HTTPService ExtAuthzService tollgate
NIOFoundationCompat: Connectors KubernetesClient HTTPService
NIOHTTP1: Connectors KubernetesClient HTTPService tollgate
NIOHTTP2: KubernetesClient HTTPService
NIOHTTPTypes: HTTPService
NIOHTTPTypesHTTP1: HTTPService
NIOPosix: Connectors KubernetesClient HTTPService ExtAuthzService tollgate
NIOSSL: Connectors KubernetesClient HTTPService ExtAuthzService
NIOTLS: HTTPService ExtAuthzService
NIOWebSocket: HTTPService
ServiceLifecycle: HTTPService ExtAuthzService tollgate
SwiftASN1: Authentication
SwiftProtobuf: ExtAuthzService
TOMLKit: tollgate
UnixSignals: tollgate
Subprocess: KubernetesClient
X509: Authentication KubernetesClient
Yams: ManifestFiles KubernetesClient SelfManagement
'

# target: modules of our own that it must not see although they lie below it.
blind='
Pipeline: ResourceModel
HTTPService: ResourceModel
ExtAuthzService: ResourceModel
'

# What comes with the toolchain and the system.
system='Foundation FoundationEssentials Dispatch Synchronization Glibc Musl Darwin'

for folder in Sources/*/; do
    target=$(basename "$folder")
    [[ $target = CInotify || $target = CPQ || $target = CZlib ]] || grep -qE "^[0-9] $target$" <<<"$layers" \
        || fail "Sources/$target has no layer: add it to Scripts/layers.sh and docs/architecture.md"
done

# shellcheck disable=SC2016  # the program is awk's
find Sources Tests Benchmarks -name '*.swift' -print0 | sort -z | xargs -0 awk \
    -v layers="$layers" -v homes="$homes" -v blind="$blind" -v system_modules="$system" '
    BEGIN {
        n = split(layers, lines, "\n")
        for (i = 1; i <= n; i++) if (split(lines[i], f, " ") == 2) layer[f[2]] = f[1]
        n = split(homes, lines, "\n")
        for (i = 1; i <= n; i++) if (split(lines[i], f, ": ") == 2) home[f[1]] = " " f[2] " "
        n = split(blind, lines, "\n")
        for (i = 1; i <= n; i++) if (split(lines[i], f, ": ") == 2) hidden[f[1]] = " " f[2] " "
        n = split(system_modules, f, " ")
        for (i = 1; i <= n; i++) system_module[f[i]] = 1
    }
    function complain(words) { printf "%s:%d: %s\n", FILENAME, FNR, words; bad = 1 }
    FNR == 1 { split(FILENAME, path, "/"); source = path[1] == "Sources"; target = path[2]; text = 0 }
    /"""/ { if (gsub(/"""/, "&") % 2) text = !text; next }
    text { next }
    /^[ \t]*(@[A-Za-z_]+(\([A-Za-z]*\))?[ \t]+)*((public|package|internal|fileprivate|private)[ \t]+)?import[ \t]/ {
        # @testable says it already: such an import is internal.
        if ($0 !~ /@testable/ && $0 !~ /(^|[ \t])(package|internal|fileprivate|private)[ \t]+import[ \t]/)
            complain("an import states its access level: internal import … (package import where a signature needs it)")
        module = $0
        sub(/^.*import[ \t]+/, "", module)
        sub(/^(struct|class|enum|protocol|func|var|let|typealias)[ \t]+/, "", module)
        sub(/[^A-Za-z0-9_].*$/, "", module)
        if (!source || module in system_module || module == target) next
        if (module in layer) {
            if (layer[module] >= layer[target])
                complain(target " (layer " layer[target] ") must not import " module " (layer " layer[module] ")")
            if (index(hidden[target], " " module " "))
                complain(target " must not see " module)
        } else if (!(module in home)) {
            complain(module " has no home: add it to Scripts/layers.sh with the target that owns it")
        } else if (home[module] != " * " && !index(home[module], " " target " ")) {
            complain(module " is imported only by" home[module] "and not by " target)
        }
    }
    END { exit bad }
'
