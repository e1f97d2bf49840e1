#!/usr/bin/env bash
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
#
# Writes Sources/ExtAuthzService/Generated anew from the .proto files beside it. Needs protoc (Debian: protobuf-compiler)
# in the path; the two plugins are built from the packages that Package.resolved names, in a copy outside of .build.
#   Scripts/generate-protos.sh           writes
#   Scripts/generate-protos.sh --check   fails when what is committed is not what would be written
set -euo pipefail
. "$(dirname "$0")/lib.sh"
require_swift

command -v protoc >/dev/null || fail "protoc is not installed: install protobuf-compiler"
protos=Sources/ExtAuthzService/Protos
generated=Sources/ExtAuthzService/Generated
package=.build/checkouts/grpc-swift-protobuf
[ -d "$package" ] || swift package resolve

plugins=${TOLLGATE_PROTOC_PLUGINS:-}
if [ -z "$plugins" ]; then
    folder=${TMPDIR:-/tmp}/tollgate-protoc-plugins
    mkdir -p "$folder"
    cp -R "$package/." "$folder"
    for product in protoc-gen-swift protoc-gen-grpc-swift-2; do
        swift build --package-path "$folder" --product "$product"
    done
    plugins=$(swift build --package-path "$folder" --show-bin-path)
fi

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
options='Visibility=Internal,UseAccessLevelOnImports=true,FileNaming=PathToUnderscores'
mapfile -t files < <(cd "$protos" && find . -name '*.proto' | sed 's|^\./||' | sort)
protoc --proto_path="$protos" --plugin="$plugins/protoc-gen-swift" --swift_out="$options:$out" "${files[@]}"
mapfile -t files < <(cd "$protos" && grep -rlE --include='*.proto' '^service ' . | sed 's|^\./||' | sort)
protoc --proto_path="$protos" --plugin="$plugins/protoc-gen-grpc-swift-2" \
    --grpc-swift-2_out="$options,Client=true,Server=true:$out" "${files[@]}"

if [ "${1:-}" = --check ]; then
    diff -r "$out" "$generated" || fail "$generated is not what the .proto files make: run Scripts/generate-protos.sh"
    exit 0
fi
rm -rf "$generated"
mkdir -p "$generated"
cp "$out"/*.swift "$generated"
say "generate-protos: wrote $generated"
