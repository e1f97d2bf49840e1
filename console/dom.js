// Small helpers over the document. Texts become text nodes: nothing that comes from outside is ever read as markup.

/** The element of an id. */
export const byID = (id) => document.getElementById(id);

/**
 * Makes an element.
 * @param {string} name its tag, with `.class` behind it
 * @param {object} [attributes] `on…` listeners, `data` members, properties such as `hidden`, or attributes
 * @param {...(Node|string|null|undefined)} children
 */
export function make(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "data") Object.assign(element.dataset, value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "2-digit" });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** A `time` element: the clock of today, the day before it for older instants, all of it in the title. */
export function time(instant) {
  const isToday = instant.toDateString() === new Date().toDateString();
  const text = isToday ? clock.format(instant) : `${day.format(instant)} ${clock.format(instant)}`;
  return make("time.event-time", { datetime: instant.toISOString(), title: whole.format(instant) }, text);
}

/** An instant in full. */
export const inFull = (instant) => whole.format(instant);

/** `n things`, with the plural where it belongs. */
export const count = (n, thing) => `${n.toLocaleString()} ${thing}${n === 1 ? "" : "s"}`;

let waiting = "";
let timer = null;

/** Tells users of screen readers, at most every four seconds; what comes in between is replaced by what came last. */
export function announce(text) {
  waiting = text;
  if (timer !== null) return;
  const say = () => {
    byID("announcer").textContent = waiting;
    waiting = "";
    timer = setTimeout(() => {
      timer = null;
      if (waiting) announce(waiting);
    }, 4000);
  };
  say();
}
