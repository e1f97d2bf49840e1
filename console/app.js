// The console: finds out whose session it is, and shows one view at a time.
import { byID, inFull } from "./dom.js";
import { call, inWords, may, openSession, signInAddress } from "./api.js";
import { openAudit, startAudit } from "./audit.js";
import { askToResume, tellOfTheEnd } from "./dialogs.js";
import { startLive } from "./live.js";
import { openObjects, startObjects } from "./objects.js";
import { openReplicas, startReplicas } from "./replicas.js";

const views = { live: () => {}, audit: openAudit, objects: openObjects, replicas: openReplicas };
let stopLive = () => {};

function showView(movesFocus) {
  const wanted = location.hash.slice(1);
  const name = Object.hasOwn(views, wanted) ? wanted : "live";
  for (const view of Object.keys(views)) byID(`view-${view}`).hidden = view !== name;
  for (const link of document.querySelectorAll("[data-view]")) {
    if (link.dataset.view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${document.querySelector(`[data-view="${name}"]`).textContent} · Tollgate console`;
  views[name]();
  if (movesFocus) byID("main").focus({ preventScroll: true });
}

function showAccount(session) {
  byID("account-name").textContent = session.name ?? session.username ?? session.user_id;
  const rights = session.admin ? "administrator" : session.permissions.join(", ") || "no rights here";
  byID("account-detail").textContent = `${session.user_id}: ${rights}`;
  byID("account-end").textContent = `The session ends at ${inFull(new Date(session.expires_at))} at the latest.`;
}

async function signOut() {
  byID("sign-out").disabled = true;
  try {
    await call("POST", "/v1/auth/logout");
  } catch (error) {
    if (error.status !== 401) {
      byID("sign-out").disabled = false;
      byID("sign-out-fault").textContent = `You are still signed in: ${inWords(error)}`;
      byID("sign-out-fault").hidden = false;
      byID("sign-out").focus();
      return;
    }
  }
  stopLive();
  location.replace("/v1/auth/browser/login?return_to=/console/");
}

async function showLinks() {
  const settings = await call("GET", "/console/settings.json");
  byID("version").textContent = `Tollgate ${settings.version}`;
  if (!settings.dashboard_url) return;
  byID("dashboard-link").href = settings.dashboard_url;
  byID("dashboard-link").hidden = false;
}

function closeMenus() {
  const menu = byID("account");
  document.addEventListener("click", (event) => {
    if (menu.open && !menu.contains(event.target)) menu.open = false;
  });
  // Wherever the focus is: a button that has been disabled has lost it.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}

function showDown(text) {
  byID("connection").dataset.state = "down";
  byID("connection").firstElementChild.textContent = "▲";
  byID("connection-text").textContent = text;
}

addEventListener("session-ended", () => {
  stopLive();
  showDown("signed out");
  tellOfTheEnd();
});

// The hash names the view: the skip link must not change it.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  byID("main").focus();
});
byID("sign-out").addEventListener("click", signOut);
closeMenus();
try {
  const session = await openSession();
  showAccount(session);
  byID("resume").hidden = !(may("admin:access") && session.platform);
  byID("resume").addEventListener("click", askToResume);
  startAudit();
  startObjects();
  startReplicas();
  stopLive = startLive();
  addEventListener("hashchange", () => showView(true));
  showView(false);
  // Without them the page does all else.
  showLinks().catch(() => {});
} catch (error) {
  // Admitted by something else than a session, such as a token that a proxy adds: the page needs one all the same.
  if (error.code === "auth.session_not_found") location.replace(signInAddress());
  // A session that is over has told so by its event.
  else if (error.status !== 401) {
    showDown("down");
    byID("live-tally").textContent = `${inWords(error)} Load the page again.`;
  }
}
