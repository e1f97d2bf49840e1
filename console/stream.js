// One stream of events that comes back by itself, and goes on behind the last event it gave.
import { address } from "./api.js";

const shortest = 1000;
const longest = 30_000;

/**
 * The stream. `on` has `state(name, seconds)`, `opened(lastID)` with the id of the event that it goes on behind or "",
 * `event(data)`, `control(name, data)` and `refused(status, body)`.
 */
export class Stream {
  #source = null;
  #timer = null;
  #delay = shortest;
  #parameters = {};
  #lastID = "";
  #on;

  constructor(on) {
    this.#on = on;
    addEventListener("online", () => this.#timer !== null && this.retry());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible" && this.#timer !== null) this.retry();
    });
  }

  /** Begins another stream, behind an event where its id is known. */
  start(parameters, lastID) {
    this.stop();
    this.#parameters = parameters;
    this.#lastID = lastID ?? "";
    this.#delay = shortest;
    this.#open();
  }

  /** Ends it. */
  stop() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#source?.close();
    this.#source = null;
  }

  /** Tries again at once. */
  retry() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#open();
  }

  get #url() { return address("/events", { ...this.#parameters, last_event_id: this.#lastID }); }

  #open() {
    this.#source?.close();
    this.#on.state("connecting");
    const source = new EventSource(this.#url);
    this.#source = source;
    source.onopen = () => {
      this.#delay = shortest;
      this.#on.state("live");
      this.#on.opened(this.#lastID);
    };
    source.onmessage = (message) => {
      if (message.lastEventId) this.#lastID = message.lastEventId;
      const data = parsed(message.data);
      if (data) this.#on.event(data);
    };
    for (const name of ["gap", "overflow", "closed", "draining"]) {
      source.addEventListener(name, (message) => this.#on.control(name, parsed(message.data) ?? {}));
    }
    source.onerror = () => {
      if (this.#source !== source) return;
      // The browser would try again by itself at one pace for ever, or give up: neither is wanted.
      const wasRefused = source.readyState === EventSource.CLOSED;
      source.close();
      this.#source = null;
      this.#wait();
      if (wasRefused) this.#ask();
    };
  }

  #wait() {
    const delay = this.#delay;
    this.#delay = Math.min(longest, delay * 2);
    this.#on.state("down", Math.round(delay / 1000));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.retry(), delay);
  }

  /** A page is not told why its stream was refused: it asks once more, for the status only. */
  async #ask() {
    const abort = new AbortController();
    try {
      const response = await fetch(this.#url, {
        headers: { Accept: "text/event-stream" }, credentials: "same-origin", cache: "no-store", signal: abort.signal,
      });
      const body = response.ok ? {} : await response.json().catch(() => ({}));
      if (!response.ok) this.#on.refused(response.status, body);
    } catch {
      // Away: the next try tells.
    } finally {
      abort.abort();
    }
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
