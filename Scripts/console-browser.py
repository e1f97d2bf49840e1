#!/usr/bin/env python3
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
"""The console in a real browser (Debian's Chromium), for the tests.

    console-browser.py --chromium PROGRAM --url URL --folder FOLDER

with the administrator's token in TOKEN, and the one of Alertmanager in WEBHOOK_TOKEN.

Walks through the sign-in page and the console as people do, by keyboard where that is what is tested, and ends with
status 1 at the first thing that is not as it must be. A line of output for each that is. FOLDER gets the screenshots.
Who started it writes FOLDER/ready when the server is, stops the server when FOLDER/stop is there and writes FOLDER/stopped, starts it again when FOLDER/start
is there and writes FOLDER/started.
"""
import argparse
import json
import os
import pathlib
import statistics
import time
import urllib.error
import urllib.request

from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Page, expect, sync_playwright

PATIENCE = int(os.environ.get("CONSOLE_PATIENCE", "120000"))
SIGN_IN = "/v1/auth/browser/login"
VIEWS = ["live", "audit", "objects", "replicas"]
# Answers a page's stream with what the test gives, stops its clock as browsers do in the background, and counts the events that are still kept.
STORM = """
  const parse = JSON.parse, kept = [], ran = setTimeout, painted = requestAnimationFrame;
  let events = [], isStopped = false;
  JSON.parse = (...given) => {
    const value = parse(...given);
    if (value?.storm) events.push(new WeakRef(value));
    return value;
  };
  window.setTimeout = (work, ...given) => (isStopped ? kept.push(work) : ran(work, ...given));
  window.requestAnimationFrame = (work) => (isStopped ? kept.push(work) : painted(work));
  window.EventSource = class {
    constructor() {
      window.source = this;
      ran(() => this.onopen?.());
    }
    addEventListener() {}
    close() {}
  };
  window.storm = {
    stop: () => { isStopped = true; },
    goOn: () => {
      isStopped = false;
      for (const work of kept.splice(0)) work();
    },
    give: (first, last) => {
      for (let n = first; n <= last; n += 1) {
        const event = { storm: true, id: `storm-${n}`, ts: 2000000000 + n, kind: "action_ok", alertname: `Storm${n}`, cmd: "restart" };
        source.onmessage({ data: JSON.stringify(event), lastEventId: event.id });
      }
    },
    kept: () => events.filter((one) => one.deref()).length,
  };
"""


class Walk:
    def __init__(self, arguments, token, browser):
        self.url = arguments.url
        self.folder = pathlib.Path(arguments.folder)
        self.token = token
        self.browser = browser
        self.context = browser.new_context(color_scheme="dark", viewport={"width": 1280, "height": 800})
        self.context.set_default_timeout(PATIENCE)
        self.page = self.context.new_page()
        self.errors, self.requests, self.expected = [], [], []
        self.listen(self.page)

    def listen(self, page):
        page.on("console", lambda message: self.heard(message.type, message.text, message.location["url"]))
        page.on("pageerror", lambda error: self.errors.append(f"thrown: {error}"))
        page.on("request", lambda request: self.requests.append((request.url, request.headers)))

    def tab(self):
        """Another page of the same browser, with the same session."""
        page = self.context.new_page()
        self.listen(page)
        return page

    def heard(self, kind, text, url):
        """What the console of the browser said. A refusal that a step asked for is no error of the page."""
        if kind in ("error", "warning") and not any(part in f"{text} {url}" for part in self.expected):
            self.errors.append(f"{kind}: {text} {url}")

    def call(self, method, path, body=None, headers=None, token=None):
        """Asks Tollgate beside the browser."""
        request = urllib.request.Request(
            self.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers=headers or {"Authorization": f"Bearer {token or self.token}", "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as fault:
            return fault.code, json.loads(fault.read() or b"{}")

    def report(self, name):
        """Tells healing of an alert, as Alertmanager does."""
        alert = {"status": "firing", "labels": {"alertname": name}, "startsAt": "2026-01-31T00:00:00Z"}
        status, answer = self.call(
            "POST", "/alert", {"version": "4", "receiver": "tollgate", "status": "firing", "alerts": [alert]},
            token=os.environ["WEBHOOK_TOKEN"])
        check(status == 200, f"no alert {name}: {status} {answer}")

    def mint(self, name, scopes=("monitor:read",), platform=False):
        status, answer = self.call(
            "POST", "/v1/service-tokens", {"identifier": name, "scopes": list(scopes), "platform": platform})
        check(status == 201, f"no token {name}: {status} {answer}")
        return answer["secret"]

    # Looking

    def shot(self, name, page: Page | None = None):
        (page or self.page).screenshot(path=self.folder / f"{name}.png")

    def accessible(self, name, page: Page | None = None):
        found = Axe().run(page or self.page)["violations"]
        told = [f"{one['id']} ({one['impact']}): {[node['html'][:120] for node in one['nodes'][:3]]}" for one in found]
        check(not found, f"{name}: {told}")

    def fits(self, name, page: Page | None = None):
        width = (page or self.page).evaluate("document.documentElement.scrollWidth - innerWidth")
        check(width <= 0, f"{name} is {width} pixels too wide")

    def view(self, name):
        self.page.click(f"[data-view={name}]")
        expect(self.page.locator(f"#view-{name}")).to_be_visible()
        check(self.page.locator("[aria-current=page]").get_attribute("data-view") == name, f"{name} is not current")
        busy = {"audit": "#audit-events .event", "objects": "#objects-list *", "replicas": "#replicas-body *"}
        if name in busy:
            self.page.locator(busy[name]).first.wait_for()

    def ids(self):
        return self.page.eval_on_selector_all("#live-events [data-id]", "rows => rows.map((row) => row.dataset.id)")

    def is_live(self, page: Page | None = None):
        expect((page or self.page).locator("#connection")).to_have_attribute("data-state", "live", timeout=PATIENCE)

    # Steps

    def sign_in_page(self):
        self.page.goto(self.url + "/console/")
        check(SIGN_IN in self.page.url, f"not sent to sign in: {self.page.url}")
        for theme in ("dark", "light"):
            self.page.emulate_media(color_scheme=theme)
            self.accessible(f"sign-in page, {theme}")
            self.shot(f"sign-in-{theme}")
        self.page.emulate_media(color_scheme="dark")
        self.page.set_viewport_size({"width": 360, "height": 740})
        self.fits("sign-in page")
        self.shot("sign-in-phone")
        self.page.set_viewport_size({"width": 1280, "height": 800})

    def refused_token(self):
        self.expected = ["401 (Unauthorized)"]
        self.page.keyboard.type("no-such-token")
        self.page.keyboard.press("Enter")
        expect(self.page.locator("#error")).to_contain_text("Invalid bearer token")
        check(self.page.input_value("#token") == "", "the field is not cleared")
        self.accessible("sign-in page with a refusal")
        self.shot("sign-in-refused")

    def sign_in(self):
        # The field has the focus.
        self.page.keyboard.type(self.token)
        self.page.keyboard.press("Enter")
        self.page.locator("#live-title").wait_for()
        expect(self.page.locator("#account-name")).to_have_text("admin")
        self.is_live()
        self.expected = []
        check(self.page.url == self.url + "/console/", f"not at the console: {self.page.url}")

    def token_is_nowhere(self):
        kept = self.page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie, history.state, name])")
        check(self.token not in kept, "the token is in the browser's storage")
        check(self.token not in self.page.content(), "the token is in the page")
        check(not any(self.token in url for url, _ in self.requests), "the token is in an address")
        sent = [url for url, headers in self.requests if "authorization" in headers and self.token in headers["authorization"]]
        check(sent == [self.url + "/v1/auth/session"], f"the token was sent to {sent}")
        cookies = self.context.cookies()
        check([one["name"] for one in cookies] == ["__Host-tollgate-session"], f"cookies: {cookies}")
        check(cookies[0]["httpOnly"] and cookies[0]["secure"] and cookies[0]["sameSite"] == "Lax", f"cookie: {cookies}")
        # The sign-in page is nothing that one comes back to.
        self.page.go_back()
        check(SIGN_IN not in self.page.url, f"back at {self.page.url}")
        self.page.goto(self.url + "/console/")
        self.is_live()

    def events_come(self):
        self.page.locator("#streams label", has_text="All").click()
        self.is_live()
        self.page.locator("#live-events [data-id]").first.wait_for()
        took = []
        for number in range(8):
            self.mint(f"watched-{number}")
            start = time.monotonic()
            self.page.locator("#live-events .event", has_text=f"watched-{number}").first.wait_for()
            took.append(time.monotonic() - start)
        # A busy machine may hold up some of them, never most.
        check(statistics.median(took) < 1, f"events take {took} s to appear")
        print(f"     from recorded to seen: {min(took) * 1000:.0f} to {max(took) * 1000:.0f} ms", flush=True)

    def everything_is_there(self):
        """What the trail has is in the list, once each."""
        status, page = self.call("GET", "/v1/audit/events?limit=200")
        check(status == 200, f"no audit: {page}")
        wanted = {entry["id"] for entry in page["events"]}
        for _ in range(1200):
            shown = self.ids()
            if wanted <= set(shown):
                break
            time.sleep(0.1)
        missing = wanted - set(shown)
        lost = [entry for entry in page["events"] if entry["id"] in missing]
        check(not missing, f"{len(missing)} events are not shown: {lost[:3]}")
        check(len(shown) == len(set(shown)), "an event is shown twice")

    def restart(self):
        before = self.ids()
        self.expected = ["/events", "ERR_", "503"]
        quiet, blind = self.quiet_tab(), self.blind_tab()
        self.tell("stop", "stopped")
        for page in (self.page, quiet, blind):
            expect(page.locator("#connection")).to_have_attribute("data-state", "down", timeout=PATIENCE)
        self.shot("down")
        self.accessible("without a connection")
        self.tell("start", "started")
        for number in range(5):
            self.mint(f"after-the-restart-{number}")
        self.mint("in-the-silence")
        self.comes_back(quiet, blind)
        self.is_live()
        for number in range(5):
            self.page.locator("#live-events .event", has_text=f"after-the-restart-{number}").first.wait_for()
        self.everything_is_there()
        check(set(before) <= set(self.ids()), "events from before the restart are gone")
        check(self.page.locator("#live-events", has_text="could not be given again").count() == 0, "there was a gap")
        self.expected = []

    def quiet_tab(self):
        """A page whose list is empty, and that comes back after the restart only when it is let."""
        quiet = self.tab()
        quiet.goto(self.url + "/console/")
        self.is_live(quiet)
        quiet.locator("#streams label", has_text="All").click()
        quiet.fill("#live-query-text", "action=service_token.create AND resource~silence")
        quiet.keyboard.press("Enter")
        expect(quiet.locator("#live-empty")).to_contain_text("Nothing matches so far")
        self.is_live(quiet)
        quiet.route("**/events?*", lambda route: route.abort())
        self.shot("empty", quiet)
        return quiet

    def blind_tab(self):
        """A page that could not read the table."""
        blind = self.tab()
        blind.route("**/v1/audit/events?*", lambda route: route.fulfill(status=503, json={"code": "audit.unavailable", "message": "Away"}))
        blind.goto(self.url + "/console/")
        self.is_live(blind)
        blind.locator("#streams label", has_text="All").click()
        expect(blind.locator("#live-events")).to_contain_text("Earlier events could not be had: Away")
        self.is_live(blind)
        blind.unroute("**/v1/audit/events?*")
        return blind

    def comes_back(self, quiet, blind):
        """What was recorded while nobody watched is asked for, also where no event tells where to go on."""
        quiet.unroute("**/events?*")
        quiet.locator("#live-events .event", has_text="in-the-silence").wait_for()
        expect(quiet.locator("#live-tally")).to_have_text("1 event that matches")
        quiet.close()
        blind.locator("#live-events .event", has_text="watched-0").wait_for()
        expect(blind.locator("#live-events")).not_to_contain_text("could not be had")
        blind.close()

    def streams_differ(self):
        """Each stream shows the same events at once as it does when they come."""
        self.report("BeforeTheList")
        for name, shown in (("Healing", [True, False]), ("Audit", [False, True]), ("All", [True, True])):
            self.page.locator("#streams label", has_text=name).click()
            self.is_live()
            rows = [self.page.locator("#live-events .event", has_text=text) for text in ("webhook_received", "watched-0")]
            for row, is_shown in zip(rows, shown):
                if is_shown:
                    row.first.wait_for()
                else:
                    expect(row).to_have_count(0)

    def storm(self):
        """A page whose clock stands still keeps no more events than it shows, and shows the newest."""
        page = self.tab()
        page.add_init_script(STORM)
        page.goto(self.url + "/console/")
        self.is_live(page)
        page.evaluate("storm.stop(); storm.give(1, 20000)")
        page.context.new_cdp_session(page).send("HeapProfiler.collectGarbage")
        kept = page.evaluate("storm.kept()")
        check(kept <= 600, f"{kept} events are kept in the background")
        page.evaluate("storm.goOn()")
        rows = page.locator("#live-events .event")
        expect(rows.first).to_contain_text("Storm20000:")
        expect(rows).to_have_count(500)
        # What comes late goes where it belongs; what is given again is not shown twice.
        page.evaluate("storm.give(20002, 20002)")
        expect(rows.first).to_contain_text("Storm20002:")
        page.evaluate("storm.give(1, 1); storm.give(19990, 20001)")
        expect(rows.nth(1)).to_contain_text("Storm20001:")
        expect(rows.nth(2)).to_contain_text("Storm20000:")
        expect(rows).to_have_count(500)
        check(page.locator("#live-events .event", has_text="Storm1:").count() == 0, "what is older than the list is in it")
        page.close()

    def odd_addresses(self):
        """A link with a place that is no view leads to the first one."""
        for odd in ("constructor", "toString", "__proto__", "nothing"):
            self.page.goto("about:blank")
            self.page.goto(f"{self.url}/console/#{odd}")
            self.is_live()
            expect(self.page.locator("#view-live")).to_be_visible()
            check(self.page.locator("[aria-current=page]").get_attribute("data-view") == "live", f"#{odd} is no view")

    def tell(self, what, answer):
        (self.folder / what).touch()
        wait_for(self.folder / answer)

    def faulty_query(self):
        self.expected = ["400 (Bad Request)"]
        shown = len(self.ids())
        self.page.fill("#live-query-text", "outcome=denied AND (actor~ci OR")
        self.page.keyboard.press("Enter")
        fault = self.page.locator("#live-query-fault")
        expect(fault).to_contain_text("At character 32: a field name is expected here")
        line, caret = fault.locator("pre").inner_text().rstrip("\n").split("\n")
        check(line.rstrip().endswith("OR") and caret.index("^") == len(line), f"the caret is not there: {line!r} {caret!r}")
        check(len(self.ids()) >= shown, "the list is gone")
        self.accessible("faulty query")
        self.shot("query-fault")
        self.page.fill("#live-query-text", "action=service_token.create AND resource~watched")
        self.page.keyboard.press("Enter")
        expect(fault).to_be_empty()
        expect(self.page.locator("#live-tally")).to_contain_text("8 events that match")
        self.is_live()
        self.mint("not-this-one")
        self.mint("watched-8")
        self.page.locator("#live-events .event", has_text="watched-8").wait_for()
        check(self.page.locator("#live-events .event", has_text="not-this-one").count() == 0, "the stream is not filtered")
        self.page.locator("#live-query button", has_text="Clear").click()
        self.is_live()
        self.expected = []

    def views(self):
        for theme in ("dark", "light"):
            if theme == "light":
                self.page.click("[data-theme-switch]")
                check(self.page.get_attribute("html", "data-theme") == "light", "the theme did not change")
            for name in VIEWS:
                self.view(name)
                if name in ("live", "audit"):
                    row = self.page.locator(f"#{name}-events details").first
                    if row.get_attribute("open") is None:
                        row.locator("summary").click()
                    # By now it may not be the first any more.
                    self.page.locator(f"#{name}-events details[open] dl").first.wait_for()
                self.accessible(f"{name}, {theme}")
                self.shot(f"{name}-{theme}")
        expect(self.page.locator("#view-objects")).to_contain_text("default/console", use_inner_text=False)
        expect(self.page.locator("#view-objects")).to_contain_text("Ready: True", use_inner_text=False)
        expect(self.page.locator("#view-replicas")).to_contain_text("does not run in a cluster", use_inner_text=False)
        self.page.reload()
        check(self.page.get_attribute("html", "data-theme") == "light", "the theme is forgotten")
        check(self.page.evaluate("Object.keys(localStorage).join()") == "tollgate-theme", "more than the theme is kept")
        self.page.click("[data-theme-switch]")

    def phone(self):
        self.page.set_viewport_size({"width": 360, "height": 740})
        for name in VIEWS:
            self.view(name)
            self.fits(name)
            self.shot(f"{name}-phone")
        self.page.set_viewport_size({"width": 1280, "height": 800})

    def by_keyboard(self):
        self.page.goto(self.url + "/console/")
        self.is_live()
        self.page.keyboard.press("Tab")
        check(self.focus()["text"].startswith("Skip"), f"the first stop is {self.focus()}")
        self.page.keyboard.press("Enter")
        check(self.focus()["id"] == "main", "the skip link leads nowhere")
        self.page.goto(self.url + "/console/")
        self.is_live()
        stops = []
        for _ in range(14):
            self.page.keyboard.press("Tab")
            stop = self.focus()
            check(stop["seen"], f"nobody sees where the focus is: {stop}")
            stops.append(stop["id"] or stop["text"])
        check(len(set(stops)) == len(stops), f"the focus goes in circles: {stops}")
        for wanted in ("Live", "Replicas", "pause", "acknowledge", "live-query-text"):
            check(wanted in stops, f"{wanted} is not among the stops {stops}")
        # Arrows go through the streams; a row opens, a dialog asks and gives the focus back.
        self.page.locator("[name=stream]").first.focus()
        self.page.keyboard.press("ArrowRight")
        self.page.keyboard.press("ArrowRight")
        check(self.page.locator("[name=stream][value=all]").is_checked(), "the arrows choose no stream")
        # Entries of the trail are in no list of healing.
        self.page.locator("#live-events .event", has_text="watched-0").wait_for()
        self.page.locator("#live-events summary").first.focus()
        self.page.keyboard.press("Enter")
        # By now it may not be the first any more.
        self.page.locator("#live-events details[open] dl").wait_for()
        check(self.page.evaluate("document.activeElement.parentElement.open"), "another row has opened")
        self.page.locator("#resume").focus()
        self.page.keyboard.press("Enter")
        expect(self.page.locator("#ask")).to_be_visible()
        check(self.page.evaluate("document.activeElement.closest('dialog') !== null"), "the focus is behind the dialog")
        self.accessible("dialog")
        self.shot("dialog")
        self.page.keyboard.press("Escape")
        expect(self.page.locator("#ask")).to_be_hidden()
        check(self.focus()["id"] == "resume", "the focus is lost after the dialog")
        self.page.locator("[data-view=audit]").focus()
        self.page.keyboard.press("Enter")
        expect(self.page.locator("#audit-title")).to_be_visible()

    def focus(self):
        return self.page.evaluate("""() => {
          const on = document.activeElement;
          const look = on.type === "radio" ? on.nextElementSibling : on;
          const box = look.getBoundingClientRect();
          const style = getComputedStyle(look);
          return { id: on.id, text: on.textContent.trim().slice(0, 40) || on.value || "",
            seen: box.width > 0 && box.height > 0 && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 };
        }""")

    def forged(self):
        """The cookie alone changes nothing."""
        cookie = "; ".join(f"{one['name']}={one['value']}" for one in self.context.cookies())
        status, answer = self.call("POST", "/v1/auth/logout", headers={"Cookie": cookie})
        check((status, answer["code"]) == (403, "auth.csrf"), f"{status} {answer}")
        status, answer = self.call("GET", "/v1/auth/me", headers={"Cookie": cookie})
        check((status, answer["subject"]) == (200, "admin"), f"{status} {answer}")

    def admitted_without_session(self):
        """Behind a proxy that adds a token the page has no session: people are told so where they sign in."""
        context = self.browser.new_context(extra_http_headers={"Authorization": f"Bearer {self.token}"})
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto(self.url + "/console/#audit")
        page.locator("#token").wait_for()
        check("audit" in page.url, f"the way back is lost: {page.url}")
        page.fill("#token", self.token)
        page.keyboard.press("Enter")
        expect(page.locator("#error")).to_contain_text("a proxy in front of Tollgate adds a credential of its own")
        self.shot("sign-in-proxy", page)
        context.close()

    def failed_sign_out(self):
        """Who could not be signed out is told so, and goes on."""
        self.page.goto(self.url + "/console/")
        self.is_live()
        self.page.locator("#streams label", has_text="All").click()
        self.is_live()
        self.expected = ["ERR_FAILED"]
        self.page.route("**/v1/auth/logout", lambda route: route.abort())
        self.page.click("#account summary")
        self.page.click("#sign-out")
        expect(self.page.locator("#sign-out-fault")).to_contain_text("You are still signed in: Tollgate cannot be reached.")
        self.accessible("failed sign-out")
        self.shot("sign-out-failed")
        self.page.keyboard.press("Escape")
        expect(self.page.locator("#sign-out")).to_be_hidden()
        check(self.page.evaluate("document.activeElement.closest('#account') !== null"), "the focus is lost with the menu")
        self.is_live()
        self.mint("after-the-failure")
        self.page.locator("#live-events .event", has_text="after-the-failure").first.wait_for()
        self.page.unroute("**/v1/auth/logout")
        self.expected = []

    def signed_in_anew(self):
        """Another tab has made a new session of the same user: this one goes on with it."""
        other = self.tab()
        other.goto(self.url + SIGN_IN)
        other.fill("#token", self.token)
        other.keyboard.press("Enter")
        self.is_live(other)
        other.close()
        # The first try is refused: it has the proof of the session before.
        self.expected = ["403 (Forbidden)"]

    def sign_out(self):
        cookie = "; ".join(f"{one['name']}={one['value']}" for one in self.context.cookies())
        self.page.click("#account summary")
        self.shot("account")
        self.page.click("#sign-out")
        self.page.locator("#token").wait_for()
        check(not self.context.cookies(), "the cookie is still there")
        self.expected = []
        status, answer = self.call("GET", "/v1/auth/me", headers={"Cookie": cookie})
        check((status, answer["code"]) == (401, "auth.session_expired"), f"{status} {answer}")

    def revoked(self):
        """A session ends with its token, and its page says so."""
        token = self.mint("for-a-while", ["monitor:read", "sessions:read"])
        self.page.fill("#token", token)
        self.page.keyboard.press("Enter")
        self.page.locator("#live-title").wait_for()
        expect(self.page.locator("#account-name")).to_have_text("for-a-while")
        self.is_live()
        check(not self.page.locator("#resume").is_visible(), "an action is offered to whoever may not take it")
        status, _ = self.call("DELETE", "/v1/service-tokens/for-a-while?reason=test")
        check(status == 204, "not revoked")
        self.expected = ["401 (Unauthorized)"]
        self.view_after_end()
        expect(self.page.locator("#ask")).to_contain_text("The session has ended")
        self.accessible("ended session")
        self.shot("ended")
        self.page.keyboard.press("Enter")
        self.page.locator("#token").wait_for()
        check("return_to" in self.page.url and "audit" in self.page.url, f"the way back is lost: {self.page.url}")
        self.expected = []

    def view_after_end(self):
        self.page.click("[data-view=audit]")

    def stayed_inside(self):
        foreign = sorted({url for url, _ in self.requests if not url.startswith(self.url + "/")})
        check(not foreign, f"asked elsewhere: {foreign}")
        check(not self.errors, "the browser's console: " + "\n".join(self.errors))

    def run(self):
        steps = [
            self.sign_in_page, self.refused_token, self.sign_in, self.token_is_nowhere, self.events_come,
            self.everything_is_there, self.restart, self.streams_differ, self.storm, self.faulty_query, self.views,
            self.phone, self.by_keyboard, self.odd_addresses, self.forged, self.admitted_without_session,
            self.failed_sign_out, self.signed_in_anew, self.sign_out, self.revoked, self.stayed_inside,
        ]
        for step in steps:
            try:
                step()
            except BaseException:
                self.shot("failed")
                print(f"FAILED {step.__name__}; the browser's console: {self.errors}", flush=True)
                raise
            print(f"ok   {step.__name__.replace('_', ' ')}", flush=True)


def check(holds, otherwise):
    if not holds:
        raise AssertionError(otherwise)


def wait_for(file):
    for _ in range(12_000):
        if file.exists():
            return
        time.sleep(0.05)
    raise SystemExit(f"FAILED nobody has made {file}")


def main():
    parser = argparse.ArgumentParser()
    for name in ("--chromium", "--url", "--folder"):
        parser.add_argument(name, required=True)
    arguments = parser.parse_args()
    expect.set_options(timeout=PATIENCE)
    wait_for(pathlib.Path(arguments.folder) / "ready")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=arguments.chromium, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
            timeout=PATIENCE)
        try:
            Walk(arguments, os.environ["TOKEN"], browser).run()
        finally:
            browser.close()


main()
