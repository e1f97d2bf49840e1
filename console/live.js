// The view of live events: the newest 500, filled from the table and kept up by the stream.
import { announce, byID, count, make } from "./dom.js";
import { address, call, inWords, may } from "./api.js";
import { note, read, row } from "./events.js";
import { askToAcknowledge } from "./dialogs.js";
import { queryBox } from "./query.js";
import { Stream } from "./stream.js";

const most = 500;
const list = byID("live-events");
/** Ids of what is in the list or held back. */
const known = new Set();
const held = [];
let waiting = [];
let arrived = 0;
let isPaused = false;
/** What is chosen, and what the list shows. */
let chosen = "healing";
let shown = { stream: chosen, query: "" };
let asked = null;
let filling = null;
/** The row that says that the table could not be read. */
let fault = null;
let stream = null;

const marks = { live: "●", connecting: "◐", down: "▲" };

function showState(state, seconds) {
  byID("connection").dataset.state = state;
  byID("connection").firstElementChild.textContent = marks[state];
  byID("connection-text").textContent = state === "down" ? `down, again in ${seconds} s` : state;
  if (state !== "connecting") announce(state === "live" ? "Events are live" : "The connection is down");
}

function tally() {
  const hidden = isPaused && held.length ? `, ${held.length} held back` : "";
  const events = list.querySelectorAll("[data-id]").length;
  const about = !shown.query ? "" : events === 1 ? " that matches" : " that match";
  byID("live-tally").textContent = `${count(events, "event")}${about}${hidden}`;
  byID("live-empty").hidden = list.childElementCount > 0;
  byID("live-empty").firstElementChild.textContent = shown.query ? "Nothing matches so far" : "Nothing has happened yet";
}

const buttons = (event) => (event.alertname && may("monitor:write")
  ? [make("button.small", { type: "button", onclick: () => askToAcknowledge({ alertname: event.alertname }) }, "Acknowledge…")]
  : []);

function trim() {
  while (list.childElementCount > most) {
    known.delete(list.lastElementChild.dataset.id);
    list.lastElementChild.remove();
  }
}

/** The row that an event stands above: the newest is on top, and what comes late goes below what is newer. */
function rowBelow(instant) {
  let below = list.firstElementChild;
  for (let at = below; at; at = at.nextElementSibling) {
    if (!at.dataset.at) continue;
    if (Number(at.dataset.at) <= instant) break;
    below = at.nextElementSibling;
  }
  return below;
}

/** Puts events into the list, oldest first. */
function show(events, fresh) {
  for (const event of events) {
    const item = row(event, { fresh, actions: buttons });
    item.dataset.at = event.instant.getTime();
    list.insertBefore(item, rowBelow(event.instant.getTime()));
  }
  trim();
  tally();
}

/** Puts a row about the stream itself on top. */
function tell(item) {
  list.prepend(item);
  trim();
  tally();
  return item;
}

/** Whether an event is not known yet; from now on it is. */
function isNew({ id }) {
  if (!id) return true;
  if (known.has(id)) return false;
  known.add(id);
  return true;
}

/** Shows events that are not known yet, or holds them back. `number` of them came, some of which there was no room for. */
function arrive(events, number = events.length) {
  const found = events.filter(isNew);
  if (!found.length) return;
  if (isPaused) {
    held.push(...found);
    for (const { id } of held.splice(0, Math.max(0, held.length - most))) known.delete(id);
    tally();
    return;
  }
  show(found, true);
  const last = found.at(-1);
  announce(`${count(number, "new event")}, the last: ${last.kind} ${last.sentence}`);
}

/** Takes what comes within one moment at once: a storm of events costs one layout. */
function take(event) {
  arrived += 1;
  waiting.push(event);
  // In a page in the background the moment may last for hours.
  if (waiting.length > most) waiting.shift();
  if (waiting.length > 1) return;
  setTimeout(() => {
    const [events, number] = [waiting, arrived];
    waiting = [];
    arrived = 0;
    arrive(events, number);
  }, 50);
}

function control(name, data) {
  switch (name) {
    case "gap":
      tell(note(data.missed ? `${count(data.missed, "event")} between could not be given again` : "Events between may be missing"));
      break;
    case "overflow": tell(note(`This page was too slow: ${count(data.dropped ?? 0, "event")} left out`)); break;
    case "draining": tell(note("This replica is stopping: going on with the next")); break;
    case "closed":
      tell(note(`The stream was closed: ${data.code ?? "no reason told"}`, "red"));
      // Whether it is the session that is over is asked by the next call.
      call("GET", "/v1/auth/session").catch(() => {});
      break;
  }
}

function refused(status, body) {
  if (status === 401) return dispatchEvent(new CustomEvent("session-ended"));
  tell(note(`No stream: ${body.message ?? "refused"} (${status} ${body.code ?? ""})`, "red"));
}

const isOfHealing = (entry) => entry.action?.startsWith("healing.");

/** Asks the table for the newest events, oldest first. */
async function newest({ stream: name, query }, signal) {
  if (name === "healing") return (await call("GET", address("/audit", { n: most, q: query }), undefined, signal)).events;
  const ask = async (q) => (await call("GET", address("/v1/audit/events", { limit: most, q }), undefined, signal)).events;
  let events = await ask(query);
  if (name === "audit" && events.some(isOfHealing)) {
    // The table has both. Asked like this at once, places in a faulty query would be others than those in the box.
    events = await ask(`${query ? `(${query}) AND ` : ""}NOT action~healing.`);
  }
  return events.reverse();
}

function tellOfFault(error) {
  fault ??= tell(note(`Earlier events could not be had: ${inWords(error)}`));
}

/** Begins anew with a query. A query that is not good throws, and what is shown stays. */
async function begin(text) {
  asked?.abort();
  asked = new AbortController();
  const wanted = { stream: chosen, query: text };
  let events = [];
  let missing = null;
  try {
    events = (await newest(wanted, asked.signal)).map(read);
  } catch (error) {
    if (error.name === "AbortError" || error.status === 400 || error.status === 401) throw error;
    // What was is not to be had; what comes may be.
    missing = error;
  }
  // What is on its way still is of the last query.
  stream.stop();
  filling?.abort();
  waiting = [];
  arrived = 0;
  shown = wanted;
  known.clear();
  held.length = 0;
  fault = null;
  list.replaceChildren();
  show(events.filter(isNew), false);
  if (missing) tellOfFault(missing);
  stream.start({ stream: wanted.stream, q: text }, events.at(-1)?.id);
}

/** Asks the table once more, for what is not in the list yet. */
async function fillUp() {
  filling?.abort();
  filling = new AbortController();
  const { signal } = filling;
  try {
    const events = (await newest(shown, signal)).map(read);
    if (signal.aborted) return;
    arrive(events, events.filter(({ id }) => !known.has(id)).length);
    fault?.remove();
    fault = null;
    tally();
  } catch (error) {
    if (error.name !== "AbortError" && error.status !== 401) tellOfFault(error);
  }
}

/** A stream that goes on behind no event begins with what comes next: what was recorded before is only in the table. */
function opened(lastID) {
  if (!lastID || fault) fillUp();
}

function pause() {
  isPaused = !isPaused;
  byID("pause").setAttribute("aria-pressed", String(isPaused));
  byID("pause").textContent = isPaused ? "Go on" : "Pause";
  if (!isPaused) show(held.splice(0), true);
  tally();
}

/** Says whether healing acts: whoever looks at its events wants to know. */
async function showHealing() {
  const { enabled, dry_run: isDry } = await call("GET", "/");
  const [tone, text] = !enabled ? ["blue", "● healing is off"] : isDry ? ["yellow", "◌ healing: dry run"] : ["green", "✓ healing acts"];
  byID("healing").dataset.tone = tone;
  byID("healing").textContent = text;
  byID("healing").hidden = false;
}

/** Makes the view work. */
export function startLive() {
  stream = new Stream({ state: showState, opened, event: (data) => take(read(data)), control, refused });
  const box = queryBox(byID("live-query"), {
    label: "Filter", placeholder: "kind=action_fail AND alertname~latency", button: "Filter", apply: begin,
  });
  byID("pause").addEventListener("click", pause);
  byID("acknowledge").hidden = !may("monitor:write");
  byID("acknowledge").addEventListener("click", () => askToAcknowledge());
  byID("streams").hidden = !may("admin:access");
  byID("streams").addEventListener("change", (event) => {
    chosen = event.target.value;
    box.run();
  });
  box.run();
  // Without it there is one word less.
  showHealing().catch(() => {});
  return () => stream.stop();
}
