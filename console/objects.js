// The view of the objects in force, with their conditions.
import { byID, count, make } from "./dom.js";
import { call, inWords } from "./api.js";

/** Conditions that say that something is wrong when they are true; all others say so when they are false. */
const faults = new Set(["Invalid", "Conflicted", "Expired", "Revoked", "Degraded", "Suspended", "Stale"]);

function toneOf({ type, status }) {
  if (status === "Unknown") return "yellow";
  return (status === "True") === faults.has(type) ? "red" : "green";
}

const marks = { green: "✓", red: "✕", yellow: "!" };

function item(object) {
  const { name, namespace, generation } = object.metadata ?? {};
  const conditions = object.status?.conditions ?? [];
  const bad = conditions.filter((condition) => toneOf(condition) !== "green" && condition.message);
  const place = object.source ? `${object.source.file}:${object.source.line}` : `generation ${generation ?? "?"}`;
  return make("li.item", {},
    make("div.item-head", {}, make("span.item-name", {}, `${namespace}/${name}`), make("code.muted", {}, place)),
    conditions.length
      ? make("ul.chips", { "aria-label": "Conditions" }, ...conditions.map((condition) => make("li.chip", {
        data: { tone: toneOf(condition) }, title: condition.message ?? "",
      }, make("span", { "aria-hidden": "true" }, `${marks[toneOf(condition)]} `),
      `${condition.type}: ${condition.status}${condition.reason ? ` (${condition.reason})` : ""}`)))
      : make("p.why", {}, "No conditions yet."),
    ...bad.map((condition) => make("p.why", {}, `${condition.type}: ${condition.message}`)));
}

async function load() {
  const list = byID("objects-list");
  try {
    const found = await call("GET", "/v1/resources");
    const kinds = new Map();
    for (const object of found.items) kinds.set(object.kind, [...(kinds.get(object.kind) ?? []), object]);
    byID("objects-tally").textContent = `${count(found.items.length, "object")}, snapshot ${found.snapshot}`;
    list.replaceChildren(...[...kinds].sort().map(([kind, objects]) => make("section.group", { "aria-label": kind },
      make("h2", {}, `${kind} (${objects.length})`), make("ul.cards", {}, ...objects.map(item)))));
    if (!found.items.length) {
      list.replaceChildren(make("div.empty", {}, make("p.empty-title", {}, "There are no objects"),
        make("p", {}, "Apply an AuthConfig, or put a manifest into the directory that Tollgate reads.")));
    }
  } catch (error) {
    byID("objects-tally").textContent = "";
    list.replaceChildren(make("p.notice.warn", {}, error.status === 403
      ? "Objects are shown to platform callers with admin:access." : inWords(error)));
  }
}

/** Makes the view work. */
export const startObjects = () => byID("objects-refresh").addEventListener("click", load);
/** Called when the view comes up. */
export const openObjects = load;
