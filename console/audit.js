// The view that searches the audit trail; who may not see it searches what healing has done.
import { byID } from "./dom.js";
import { address, call, may } from "./api.js";
import { read, row } from "./events.js";
import { queryBox } from "./query.js";

const list = byID("audit-events");
const more = byID("audit-more");
let query = "";
let cursor = null;
let asked = null;
let box = null;

function show(entries) {
  list.append(...entries.map((entry) => row(read(entry))));
  more.hidden = !cursor;
  const shown = list.childElementCount;
  byID("audit-tally").textContent = shown ? `${shown.toLocaleString()} ${shown === 1 ? "entry" : "entries"}${cursor ? ", and older ones" : ""}`
    : "Nothing matches.";
}

async function page(text, next) {
  asked?.abort();
  asked = new AbortController();
  if (!may("admin:access")) {
    const found = await call("GET", address("/audit", { n: 500, q: text }), undefined, asked.signal);
    return { entries: found.events.reverse(), next: null };
  }
  const found = await call("GET", address("/v1/audit/events", { limit: 100, q: text, cursor: next }), undefined, asked.signal);
  return { entries: found.events, next: found.next_cursor };
}

async function search(text) {
  byID("audit-tally").textContent = "Searching…";
  try {
    const found = await page(text, null);
    query = text;
    cursor = found.next;
    list.replaceChildren();
    show(found.entries);
  } catch (error) {
    byID("audit-tally").textContent = "";
    throw error;
  }
}

async function older() {
  more.disabled = true;
  try {
    const found = await page(query, cursor);
    cursor = found.next;
    show(found.entries);
  } catch {
    byID("audit-tally").textContent = "The older entries could not be had. Search again.";
  } finally {
    more.disabled = false;
  }
}

/** Makes the view work. */
export function startAudit() {
  byID("audit-lead").textContent = may("admin:access")
    ? "Every request to Tollgate and everything it did, as it was recorded."
    : "What healing has done. The whole trail needs admin:access.";
  box = queryBox(byID("audit-query"), {
    label: "Query", placeholder: may("admin:access") ? "outcome=denied AND actor~ci" : "kind=action_fail", button: "Search",
    apply: search,
  });
  more.addEventListener("click", older);
}

/** Called when the view comes up. */
export const openAudit = () => !list.childElementCount && box.run();
