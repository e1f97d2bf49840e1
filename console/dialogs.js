// What is asked before something is done. One dialog element serves them all.
import { byID, make, inFull } from "./dom.js";
import { call, inWords, signInAddress } from "./api.js";

const dialog = byID("ask");

/** Asks, and does it when the answer is yes. `work` gets the form; what it throws is shown, and the dialog stays. */
function ask({ title, body, yes, work }) {
  const fault = make("p.notice.bad", { role: "alert", hidden: true });
  const confirm = make("button.primary", { type: "submit" }, yes);
  const cancel = make("button", { type: "button", onclick: () => dialog.close() }, "Cancel");
  const form = make("form", { method: "dialog" }, make("h2", { id: "ask-title" }, title), ...body, fault,
    make("div.dialog-actions", {}, cancel, confirm));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    fault.hidden = true;
    confirm.disabled = true;
    try {
      const done = await work(form);
      tell(done);
    } catch (error) {
      fault.textContent = error.isHint ? error.message : inWords(error);
      fault.hidden = false;
      confirm.disabled = false;
    }
  });
  dialog.replaceChildren(form);
  if (!dialog.open) dialog.showModal();
}

/** Shows what has become of it. */
function tell({ title, text }) {
  const close = make("button.primary", { type: "button", onclick: () => dialog.close() }, "Close");
  dialog.replaceChildren(make("form", { method: "dialog" }, make("h2", { id: "ask-title" }, title),
    make("p", { role: "status" }, text), make("div.dialog-actions", {}, close)));
  close.focus();
}

const hint = (message) => Object.assign(new Error(message), { isHint: true });

/** `name=value` lines as an object. */
function labels(text) {
  const found = {};
  for (const line of text.split("\n").map((part) => part.trim()).filter(Boolean)) {
    const at = line.indexOf("=");
    if (at < 1 || at === line.length - 1) throw hint(`"${line}" is no label: write name=value, one to a line.`);
    found[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  }
  if (!Object.keys(found).length) throw hint("Name at least one label: a silence without labels would silence everything.");
  return found;
}

/** Silences an alert. */
export function askToAcknowledge(known = {}) {
  const lines = Object.entries(known).filter(([, value]) => value).map(([name, value]) => `${name}=${value}`);
  const option = (value, text) => make("option", { value }, text);
  ask({
    title: "Acknowledge an alert",
    yes: "Silence it",
    body: [
      make("p.muted", {}, "Alertmanager stays silent about alerts with all of these labels until the time is over. Nothing is healed by it."),
      make("div.field", {}, make("label", { for: "ack-labels" }, "Labels, one to a line"),
        make("textarea", { id: "ack-labels", rows: 3, spellcheck: "false", autocapitalize: "off", placeholder: "alertname=HighLatency" },
          lines.join("\n"))),
      make("div.field-pair", {},
        make("div.field", {}, make("label", { for: "ack-duration" }, "For"), make("select", { id: "ack-duration" },
          option("30m", "30 minutes"), option("2h", "2 hours"), option("24h", "24 hours"), option("7d", "7 days"))),
        make("div.field", {}, make("label", { for: "ack-comment" }, "Comment"),
          make("input", { id: "ack-comment", maxlength: 512, autocomplete: "off", placeholder: "Acknowledged in Tollgate" }))),
    ],
    work: async () => {
      const comment = byID("ack-comment").value.trim();
      const body = { labels: labels(byID("ack-labels").value), duration: byID("ack-duration").value };
      if (comment) body.comment = comment;
      const done = await call("POST", "/ack", body);
      return { title: "Silenced", text: `Until ${inFull(new Date(done.endsAt))}. Silence ${done.silenceId}.` };
    },
  });
}

/** Lets healing act again after it has stopped itself. */
export function askToResume() {
  ask({
    title: "Resume healing",
    yes: "Resume",
    body: [make("p", {}, "Healing stops itself after many failures. Have you found out why? After this, live actions are taken again.")],
    work: async () => {
      await call("POST", "/v1/healing/resume", {});
      return { title: "Healing resumed", text: "Actions are taken again on the next alerts." };
    },
  });
}

/** The session is over: there is nothing left but to sign in again. */
export function tellOfTheEnd() {
  if (dialog.open && dialog.querySelector("[data-end]")) return;
  const link = make("button.primary", {
    type: "button", data: { end: "" }, onclick: () => location.assign(signInAddress()),
  }, "Sign in again");
  dialog.replaceChildren(make("form", { method: "dialog" }, make("h2", { id: "ask-title" }, "The session has ended"),
    make("p", {}, "It lasts 12 hours, 30 minutes without use, and no longer than its token. What you see stays here until you go on."),
    make("div.dialog-actions", {}, make("button", { type: "button", onclick: () => dialog.close() }, "Stay here"), link)));
  if (!dialog.open) dialog.showModal();
  link.focus();
}
