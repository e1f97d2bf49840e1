// Events and audit entries as rows: one look for both.
import { make, time } from "./dom.js";

const marks = { red: "✕", green: "✓", yellow: "◌", blue: "●" };

/** The colour of an event. Text and mark say the same. */
function tone(kind, outcome) {
  if (/fail|error/.test(kind) || outcome === "failure") return "red";
  if (kind === "action_ok" || kind.includes("executed")) return "green";
  if (kind === "action_dry_run" || outcome === "denied") return "yellow";
  return "blue";
}

/** What an event says in one line. */
function sentence(event) {
  const about = [event.alertname, event.target].filter(Boolean).join(" → ");
  switch (event.kind) {
    case "webhook_received":
      return `${event.alerts ?? 0} alerts from ${event.receiver || "Alertmanager"}: ${event.firing ?? 0} firing, ${event.resolved ?? 0} resolved`;
    case "decision_skip":
      return `${about}: not acted on, ${event.reason ?? "for no reason told"}`
        + (event.remaining_seconds ? ` (${Math.ceil(event.remaining_seconds)} s left)` : "");
    case "action_dry_run": return `${event.alertname ?? ""}: would ${event.cmd ?? event.action ?? "act"}`;
    case "action_ok":
      return `${event.alertname ?? ""}: ${event.cmd ?? event.action ?? "acted"}${event.verified ? ", verified" : ""}`;
    case "action_fail":
      return `${event.alertname ?? ""}: ${event.cmd ?? event.action ?? "action"} failed at ${event.stage ?? "?"}: ${event.err ?? ""}`;
    case "ack": {
      const labels = Object.entries(event.labels ?? {}).map(([name, value]) => `${name}=${value}`).join(", ");
      return `${event.actor ?? "somebody"} silenced ${labels} for ${event.duration ?? "?"}: ${event.comment ?? ""}`;
    }
    default: return about || Object.entries(event).filter(([name]) => !known.has(name)).slice(0, 3)
      .map(([name, value]) => `${name}=${text(value)}`).join(" ");
  }
}

const known = new Set(["kind", "ts", "id", "request_id", "actor"]);

const text = (value) => (typeof value === "object" && value !== null ? JSON.stringify(value, null, 1) : String(value));

/** Brings a flat healing event or an audit entry into one form. */
export function read(data) {
  if (data.ts !== undefined) {
    return {
      id: data.id, instant: new Date(Number(data.ts) * 1000), kind: data.kind, tone: tone(data.kind, data.outcome),
      sentence: sentence(data), members: data, alertname: data.alertname,
    };
  }
  if (data.action?.startsWith("healing.")) {
    const { id, actor, request_id, timestamp, metadata } = data;
    const flat = { ...metadata, kind: data.action.slice(8), id, actor, request_id, ts: Date.parse(timestamp) / 1000 };
    return { ...read(flat), members: data };
  }
  const status = data.metadata?.status ? ` · ${data.metadata.status}` : "";
  const code = data.metadata?.code ? ` ${data.metadata.code}` : "";
  return {
    id: data.id, instant: new Date(data.timestamp), kind: data.action ?? "entry",
    tone: tone(data.action ?? "", data.outcome),
    sentence: `${data.actor} · ${data.resource} · ${data.outcome}${status}${code}`, members: data,
  };
}

/** The row of an event. `actions(event)` gives the buttons under its members. */
export function row(event, { fresh = false, actions = () => [] } = {}) {
  const details = make("details", {},
    make("summary.event-row", {},
      time(event.instant),
      make("span.kind", {}, make("span", { "aria-hidden": "true" }, marks[event.tone]), event.kind),
      make("span.event-text", {}, event.sentence)));
  // Most rows are never opened: what is inside is made when one is.
  details.addEventListener("toggle", () => {
    if (details.childElementCount > 1) return;
    const members = Object.entries(event.members).filter(([, value]) => value !== null && value !== "");
    const buttons = actions(event);
    details.append(make("div.event-body", {},
      make("dl.members", {}, ...members.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, text(value))])),
      buttons.length ? make("div.actions", {}, ...buttons) : null));
  });
  const item = make("li.event", { data: { tone: event.tone, id: event.id ?? "" } }, details);
  if (fresh) item.classList.add("fresh");
  return item;
}

/** A row about the stream itself. */
export function note(textOfNote, toneOfNote = "yellow") {
  return make("li.event", { data: { tone: toneOfNote } }, make("div.event-row", {},
    time(new Date()),
    make("span.kind", {}, make("span", { "aria-hidden": "true" }, "⚑"), "stream"),
    make("span.event-text", {}, textOfNote)));
}
