#!/usr/bin/env bash
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
#
# A Kubernetes control plane on free loopback ports, for the tests.
#
#   control-plane.sh start DIR    start it, wait until it is ready, write DIR/kubeconfig
#   control-plane.sh stop DIR     stop the processes that start recorded in DIR, by pid
#   control-plane.sh status DIR   list them
#   control-plane.sh compact DIR  forget etcd's history: watches that resume from before it are told that it is gone
#
# The binaries are those that Scripts/control-plane-get.sh finds or makes. kube-controller-manager and
# apiextensions-apiserver are used where the same folder has them; kube-scheduler only with CONTROL_PLANE_SCHEDULER=1.
#
#   CONTROL_PLANE_CONTROLLERS=0     do without kube-controller-manager
#   CONTROL_PLANE_CRD_SERVER=0      do without apiextensions-apiserver
#   CONTROL_PLANE_APISERVER_ARGS    further flags, separated by blanks; likewise CONTROL_PLANE_CONTROLLERS_ARGS,
#                                   CONTROL_PLANE_CRD_SERVER_ARGS, CONTROL_PLANE_ETCD_ARGS, CONTROL_PLANE_SCHEDULER_ARGS
#   CONTROL_PLANE_TIMEOUT           seconds to wait for each process (default 120)
#
# DIR keeps certificates, tokens, ports, etcd's data and logs: starting again in the same DIR goes on with that data, on
# the same ports where they are still free. Remove DIR to begin anew.
set -euo pipefail
set +m # so that a started process has the pid that $! says, see launch

usage() {
  sed -n '5,/^set -euo/p' "$0" | sed -n 's/^# \{0,1\}//p' >&2
  exit 2
}
say() { printf 'control-plane: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

[ $# -eq 2 ] || usage
action=$1
case $action in
  start) mkdir -p "$2" ;;
  stop | status | compact) [ -d "$2" ] || { say "no folder $2"; exit 0; } ;;
  *) usage ;;
esac
dir=$(cd "$2" && pwd)
timeout=${CONTROL_PLANE_TIMEOUT:-120}
scripts=$(cd "$(dirname "$0")" && pwd)

# --- processes: one line 'name pid starttime' each in DIR/pids -----------------

# The start time (in ticks since boot) tells a process from a later one that
# was given the same pid; nothing for one that has ended.
start_ticks() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  # what follows the last ')' starts with field 3, the state
  stat=${stat##*) }
  case $stat in Z* | X*) return 0 ;; esac
  printf '%s\n' "$stat" | cut -d ' ' -f 20
}

alive() { # PID TICKS
  [ -n "$2" ] && [ "$(start_ticks "$1")" = "$2" ]
}

launch() { # NAME COMMAND...
  local name=$1 pid
  shift
  setsid "$@" >>"$dir/logs/$name.log" 2>&1 </dev/null &
  pid=$!
  disown "$pid"
  printf '%s %s %s\n' "$name" "$pid" "$(start_ticks "$pid")" >>"$dir/pids"
}

running() { # NAME
  local name pid ticks
  [ -f "$dir/pids" ] || return 1
  while read -r name pid ticks; do
    if [ "$name" = "$1" ]; then
      alive "$pid" "$ticks" && return 0
      return 1
    fi
  done <"$dir/pids"
  return 1
}

await_end() { # SECONDS PID TICKS: true once the process has ended
  local i
  for ((i = 0; i < $1 * 10; i++)); do
    alive "$2" "$3" || return 0
    sleep 0.1
  done
  alive "$2" "$3" || return 0
  return 1
}

# Everything but etcd is told to end at once, for the servers hold connections
# to each other open; a kube-apiserver otherwise waits a minute for watchers.
# Killing one that lingers loses nothing: all state is in etcd, which goes last.
stop_all() {
  local name pid ticks seconds rc=0
  [ -f "$dir/pids" ] || return 0
  while read -r name pid ticks; do
    if [ "$name" != etcd ] && alive "$pid" "$ticks"; then kill -TERM "$pid" 2>/dev/null || true; fi
  done <"$dir/pids"
  tac "$dir/pids" >"$dir/pids.stopping"
  while read -r name pid ticks; do
    alive "$pid" "$ticks" || continue
    seconds=5
    if [ "$name" = etcd ]; then
      kill -TERM "$pid" 2>/dev/null || true
      seconds=15
    fi
    await_end "$seconds" "$pid" "$ticks" && continue
    kill -KILL "$pid" 2>/dev/null || true
    await_end 5 "$pid" "$ticks" || { say "$name ($pid) does not end"; rc=1; }
  done <"$dir/pids.stopping"
  rm -f "$dir/pids.stopping"
  if [ "$rc" -eq 0 ]; then rm -f "$dir/pids"; fi
  return "$rc"
}

if [ "$action" = stop ]; then
  stop_all
  exit
fi
if [ "$action" = status ]; then
  [ -f "$dir/pids" ] || exit 0
  while read -r name pid ticks; do
    if alive "$pid" "$ticks"; then echo "$name $pid running"; else echo "$name $pid ended"; fi
  done <"$dir/pids"
  exit
fi

if [ "$action" = compact ]; then
  running etcd || die "no etcd runs in $dir"
  read -r etcd_port _ <"$dir/ports"
  etcd() { curl -sSf --noproxy '*' --max-time 30 -d "$2" "http://127.0.0.1:$etcd_port/v3/$1"; }
  revision=$(etcd maintenance/status '{}' | python3 -c 'import json, sys; print(json.load(sys.stdin)["header"]["revision"])')
  etcd kv/compaction "{\"revision\": \"$revision\", \"physical\": true}" >/dev/null
  exit
fi

# --- what to run ----------------------------------------------------------------

bin=$("$scripts/control-plane-get.sh") || die "there is no control plane to start"
for b in openssl curl python3 setsid; do
  command -v "$b" >/dev/null || die "needs $b"
done
with_kcm=0 with_crd_server=0 with_scheduler=0
if [ -x "$bin/kube-controller-manager" ] && [ "${CONTROL_PLANE_CONTROLLERS:-1}" = 1 ]; then with_kcm=1; fi
if [ -x "$bin/apiextensions-apiserver" ] && [ "${CONTROL_PLANE_CRD_SERVER:-1}" = 1 ]; then with_crd_server=1; fi
if [ -x "$bin/kube-scheduler" ] && [ "${CONTROL_PLANE_SCHEDULER:-0}" = 1 ]; then with_scheduler=1; fi

if running kube-apiserver; then
  say "already running in $dir"
  exit 0
fi
stop_all # what may be left of an earlier start
mkdir -p "$dir/logs" "$dir/pki"
chmod 700 "$dir/pki"

# --- certificates and tokens ----------------------------------------------------

pki=$dir/pki
issue() { # CA NAME SUBJECT EXTENSIONS
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
    -subj "$3" -keyout "$pki/$2.key" -out "$pki/$2.csr" 2>/dev/null
  openssl x509 -req -in "$pki/$2.csr" -CA "$pki/$1.crt" -CAkey "$pki/$1.key" -CAcreateserial \
    -days 3650 -sha256 -extfile <(printf '%s\n' "$4") -out "$pki/$2.crt" 2>/dev/null
  rm -f "$pki/$2.csr"
}
if [ ! -f "$pki/done" ]; then
  (
    umask 077
    printf '[req]\ndistinguished_name=dn\nx509_extensions=ca\n[dn]\n[ca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign,digitalSignature\nsubjectKeyIdentifier=hash\n' >"$pki/ca.cnf"
    for ca in ca front-ca; do
      openssl req -x509 -config "$pki/ca.cnf" -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
        -days 3650 -sha256 -subj "/CN=control-plane-$ca" -keyout "$pki/$ca.key" -out "$pki/$ca.crt" 2>/dev/null
    done
    issue ca serving /CN=kube-apiserver "subjectAltName=IP:127.0.0.1,IP:10.0.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local
extendedKeyUsage=serverAuth"
    issue front-ca front-proxy /CN=front-proxy-client "extendedKeyUsage=clientAuth"
    openssl genrsa -out "$pki/sa.key" 2048 2>/dev/null
    openssl rsa -in "$pki/sa.key" -pubout -out "$pki/sa.pub" 2>/dev/null
    token() { openssl rand -hex 24; }
    {
      echo "$(token),admin,admin,\"system:masters\""
      echo "$(token),system:kube-controller-manager,kcm"
      echo "$(token),system:kube-scheduler,scheduler"
      echo "$(token),control-plane:apiextensions-apiserver,crd-server,\"system:masters\""
    } >"$pki/tokens.csv"
    touch "$pki/done"
  )
fi

token_of() { awk -F, -v u="$1" '$2 == u { print $1 }' "$pki/tokens.csv"; }

kubeconfig() { # FILE USER
  local ca
  ca=$(base64 -w0 "$pki/ca.crt")
  (
    umask 077
    cat >"$1" <<KC
apiVersion: v1
kind: Config
clusters:
- name: control-plane
  cluster:
    server: $server
    certificate-authority-data: $ca
users:
- name: $2
  user:
    token: $(token_of "$2")
contexts:
- name: control-plane
  context: {cluster: control-plane, user: "$2"}
current-context: control-plane
KC
  )
}

# --- starting -------------------------------------------------------------------

has_flag() { # BINARY FLAG
  local help
  help=$("$bin/$1" --help 2>&1) || true
  case $help in *"$2"*) return 0 ;; esac
  return 1
}

wait_for() { # NAME COMMAND...: until the command succeeds, the process has ended, or the time is up
  local name=$1 deadline=$((SECONDS + timeout))
  shift
  until "$@" >/dev/null 2>&1; do
    if ! running "$name"; then
      say "$name ended: $(tail -n 3 "$dir/logs/$name.log" 2>/dev/null | cut -c 1-400)"
      return 1
    fi
    if [ "$SECONDS" -ge "$deadline" ]; then
      say "$name was not ready in $timeout s; see $dir/logs/$name.log"
      return 2
    fi
    sleep 0.1
  done
}

# shellcheck disable=SC2317,SC2329 # called through wait_for
get() { # URL [TOKEN]
  curl -sSf --noproxy '*' --max-time 5 --cacert "$pki/ca.crt" ${2:+-H "Authorization: Bearer $2"} "$1"
}

# Six ports: those of the last start if this is the first try and they are free, else others. They come from below the
# range out of which the kernel serves outgoing connections, so that nobody's connection has one by the time it is bound.
choose_ports() { # TRY
  python3 - "$1" "$dir/ports" <<'PY'
import random, socket, sys

first = int(open("/proc/sys/net/ipv4/ip_local_port_range").read().split()[0])
if first <= 12288:
    first = 32768


def free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


ports = []
if sys.argv[1] == "1":
    try:
        ports = [int(word) for word in open(sys.argv[2]).read().split()]
    except (OSError, ValueError):
        pass
if len(ports) != 6 or not all(free(port) for port in ports):
    ports = []
    while len(ports) < 6:
        port = random.randrange(10240, first)
        if port not in ports and free(port):
            ports.append(port)
print(*ports)
PY
}

start_all() { # TRY
  local etcd_port peer_port api_port crd_port kcm_port sched_port
  local -a args=() env=()
  choose_ports "$1" >"$dir/ports.new" && mv "$dir/ports.new" "$dir/ports"
  read -r etcd_port peer_port api_port crd_port kcm_port sched_port <"$dir/ports"
  server=https://127.0.0.1:$api_port
  kubeconfig "$dir/kubeconfig.new" admin

  args=(--name control-plane --data-dir "$dir/etcd"
    --listen-client-urls "http://127.0.0.1:$etcd_port" --advertise-client-urls "http://127.0.0.1:$etcd_port"
    --listen-peer-urls "http://127.0.0.1:$peer_port" --initial-advertise-peer-urls "http://127.0.0.1:$peer_port"
    --initial-cluster "control-plane=http://127.0.0.1:$peer_port" --log-level warn)
  if has_flag etcd '--unsafe-no-fsync'; then args+=(--unsafe-no-fsync); fi
  # shellcheck disable=SC2086
  launch etcd "$bin/etcd" "${args[@]}" ${CONTROL_PLANE_ETCD_ARGS:-}
  wait_for etcd get "http://127.0.0.1:$etcd_port/health" || return

  if [ "$with_crd_server" = 1 ]; then
    kubeconfig "$dir/crd-server.kubeconfig" control-plane:apiextensions-apiserver
    # shellcheck disable=SC2086
    launch apiextensions-apiserver "$bin/apiextensions-apiserver" \
      --etcd-servers "http://127.0.0.1:$etcd_port" --etcd-prefix /registry \
      --bind-address 127.0.0.1 --secure-port "$crd_port" \
      --tls-cert-file "$pki/serving.crt" --tls-private-key-file "$pki/serving.key" \
      --requestheader-client-ca-file "$pki/front-ca.crt" --requestheader-allowed-names front-proxy-client \
      --authentication-skip-lookup --authentication-kubeconfig "$dir/crd-server.kubeconfig" \
      --authorization-kubeconfig "$dir/crd-server.kubeconfig" --kubeconfig "$dir/crd-server.kubeconfig" \
      --authorization-always-allow-paths /healthz,/livez,/readyz,/openapi/v2 \
      --disable-admission-plugins ValidatingAdmissionPolicy,MutatingAdmissionPolicy \
      --enable-priority-and-fairness=false ${CONTROL_PLANE_CRD_SERVER_ARGS:-}
    wait_for apiextensions-apiserver get "https://127.0.0.1:$crd_port/livez" || return
    env=("KAPI_APIEXTENSIONS_URL=https://127.0.0.1:$crd_port" "KAPI_APIEXTENSIONS_CA=$pki/ca.crt"
      "KAPI_APIEXTENSIONS_CERT=$pki/front-proxy.crt" "KAPI_APIEXTENSIONS_KEY=$pki/front-proxy.key")
  fi

  # shellcheck disable=SC2054
  args=(--etcd-servers "http://127.0.0.1:$etcd_port" --bind-address 127.0.0.1 --advertise-address 127.0.0.1
    --secure-port "$api_port" --tls-cert-file "$pki/serving.crt" --tls-private-key-file "$pki/serving.key"
    --client-ca-file "$pki/ca.crt" --token-auth-file "$pki/tokens.csv" --authorization-mode Node,RBAC
    --service-account-issuer https://kubernetes.default.svc --service-account-key-file "$pki/sa.pub"
    --service-account-signing-key-file "$pki/sa.key" --service-cluster-ip-range 10.0.0.0/24
    --requestheader-client-ca-file "$pki/front-ca.crt" --requestheader-allowed-names front-proxy-client
    --requestheader-username-headers X-Remote-User --requestheader-group-headers X-Remote-Group
    --requestheader-extra-headers-prefix X-Remote-Extra-
    --proxy-client-cert-file "$pki/front-proxy.crt" --proxy-client-key-file "$pki/front-proxy.key"
    --allow-privileged --endpoint-reconciler-type none)
  # without a controller manager no namespace gets its default service account,
  # and this plugin would then refuse every pod
  if [ "$with_kcm" = 0 ]; then args+=(--disable-admission-plugins ServiceAccount); fi
  # shellcheck disable=SC2086
  launch kube-apiserver env ${env[@]+"${env[@]}"} "$bin/kube-apiserver" "${args[@]}" ${CONTROL_PLANE_APISERVER_ARGS:-}
  wait_for kube-apiserver get "$server/readyz" "$(token_of admin)" || return

  if [ "$with_kcm" = 1 ]; then
    kubeconfig "$dir/kcm.kubeconfig" system:kube-controller-manager
    args=(--kubeconfig "$dir/kcm.kubeconfig" --authentication-kubeconfig "$dir/kcm.kubeconfig"
      --authorization-kubeconfig "$dir/kcm.kubeconfig" --bind-address 127.0.0.1 --secure-port "$kcm_port"
      --tls-cert-file "$pki/serving.crt" --tls-private-key-file "$pki/serving.key"
      --leader-elect=false --use-service-account-credentials --service-account-private-key-file "$pki/sa.key"
      --root-ca-file "$pki/ca.crt" --cluster-signing-cert-file "$pki/ca.crt" --cluster-signing-key-file "$pki/ca.key")
    # (1.20 would also listen on a fixed port, without TLS)
    if has_flag kube-controller-manager ' --port int'; then args+=(--port 0); fi
    # shellcheck disable=SC2086
    launch kube-controller-manager "$bin/kube-controller-manager" "${args[@]}" ${CONTROL_PLANE_CONTROLLERS_ARGS:-}
    # it works once the default namespace has its service account
    wait_for kube-controller-manager get "$server/api/v1/namespaces/default/serviceaccounts/default" "$(token_of admin)" || return
  fi

  if [ "$with_scheduler" = 1 ]; then
    kubeconfig "$dir/scheduler.kubeconfig" system:kube-scheduler
    args=(--kubeconfig "$dir/scheduler.kubeconfig" --authentication-kubeconfig "$dir/scheduler.kubeconfig"
      --authorization-kubeconfig "$dir/scheduler.kubeconfig" --bind-address 127.0.0.1 --secure-port "$sched_port"
      --tls-cert-file "$pki/serving.crt" --tls-private-key-file "$pki/serving.key"
      --leader-elect=false)
    if has_flag kube-scheduler ' --port int'; then args+=(--port 0); fi
    # shellcheck disable=SC2086
    launch kube-scheduler "$bin/kube-scheduler" "${args[@]}" ${CONTROL_PLANE_SCHEDULER_ARGS:-}
    wait_for kube-scheduler get "https://127.0.0.1:$sched_port/healthz" || return
  fi
  mv "$dir/kubeconfig.new" "$dir/kubeconfig"
}

# A port found free can be taken by another program before it is used here, so
# a start in which a process ended is tried again on other ports.
for try in 1 2 3; do
  rc=0
  start_all "$try" || rc=$?
  if [ "$rc" -eq 0 ]; then
    say "ready: KUBECONFIG=$dir/kubeconfig"
    exit 0
  fi
  stop_all || true
  [ "$rc" -eq 1 ] || break
  [ "$try" -eq 3 ] || say "trying again"
done
die "not started; logs are in $dir/logs"
