// The view of the own Deployment and its pods.
import { byID, count, make, inFull } from "./dom.js";
import { call, inWords } from "./api.js";

const figure = (name, value) => make("div.figure", {}, make("dt", {}, name), make("dd", {}, value ?? "–"));

function pod(one) {
  const verdict = one.verdict ?? (one.ready ? "ready" : "not ready");
  const tone = { healthy: "green", ready: "green", ignored: "blue" }[verdict] ?? "red";
  const mark = { green: "✓", blue: "●", red: "✕" }[tone];
  return make("li.item", {},
    make("div.item-head", {}, make("span.item-name", {}, one.name),
      make("span.muted", {}, one.start_time ? `since ${inFull(new Date(one.start_time))}` : "")),
    make("ul.chips", { "aria-label": "State" },
      make("li.chip", { data: { tone } }, `${mark} ${verdict}`),
      make("li.chip", {}, one.phase ?? "no phase"),
      make("li.chip", { data: { tone: one.restarts ? "yellow" : "blue" } }, count(one.restarts ?? 0, "restart"))),
    one.reason ? make("p.why", {}, one.reason) : null);
}

const absent = (text) => make("div.empty", {}, make("p.empty-title", {}, "No replicas to show"), make("p", {}, text));

async function load() {
  const body = byID("replicas-body");
  try {
    const status = await call("GET", "/v1/k8s/status");
    if (!status.in_cluster) return body.replaceChildren(absent("This Tollgate does not run in a cluster."));
    const reconciled = status.last_reconcile ? inFull(new Date(status.last_reconcile)) : null;
    body.replaceChildren(
      make("dl.figures", {},
        figure("Deployment", status.deployment_name), figure("Replicas", String(status.replicas ?? "–")),
        figure("Ready", String(status.ready_replicas ?? 0)), figure("Up to date", String(status.updated_replicas ?? 0)),
        figure("Leader", status.leader ? "this replica" : status.leader_identity), figure("Autoscaler", status.hpa ?? "none"),
        figure("Mode", status.deployment_mode), figure("Last look", reconciled)),
      status.suspended ? make("p.notice.warn", {}, "Self-management is suspended.") : "",
      status.last_error ? make("p.notice.bad", {}, `The last look failed: ${status.last_error}`) : "",
      make("h2", {}, `Pods (${(status.pods ?? []).length})`),
      make("ul.cards", {}, ...(status.pods ?? []).map(pod)));
  } catch (error) {
    body.replaceChildren(error.status === 404 ? absent("This Tollgate does not manage a Deployment.")
      : error.status === 403 ? absent("Replicas are shown to platform callers with admin:access.")
        : make("p.notice.bad", {}, inWords(error)));
  }
}

/** Makes the view work. */
export const startReplicas = () => byID("replicas-refresh").addEventListener("click", load);
/** Called when the view comes up. */
export const openReplicas = load;
