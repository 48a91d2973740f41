// Keeps what is being typed as a private draft: on the server, and in this tab until it is there.
// Everything else works without it. The words it shows come from the page and from the server.

const WAIT = 2000; // after the last key
const LONGEST = 10000; // while somebody keeps typing
const SLOW = 1500; // until the page says that a try is under way
const PATIENCE = 20000; // for one try
const PAUSES = [2, 4, 8, 16, 32, 60]; // seconds between tries while the connection is bad
const SIGNED_OUT = 30; // seconds until we ask whether somebody signed in again
const FINAL = [400, 403, 404, 413]; // responses that another try would not change
const LIGHT = 60000; // characters that a browser still sends while the page is being left
const STEP = 1000;
// States in which leaving the page may lose text.
const ASKS_TO_STAY = ["elsewhere", "refused", "signed-out", "waiting"];
// What a page sends besides the text.
const BESIDE = [
  "base_version", "csrf_token", "draft_base", "draft_known", "draft_number", "draft_page",
  "page_token",
];

// What a copy fills: fields, and on a page with several answers the version of each that it is based on.
const FILLED = "input:not([type=hidden]), input[data-base], select, textarea";

const line = document.querySelector("[data-keep]");
const form = line?.closest("form");
if (form) start();

function start() {
  const copy = `draft:${line.dataset.key}`;
  const said = line.querySelector("[role=status]");
  // Numbers grow with each try. Those of one page end in the same digits, so that it knows its own.
  const end = Math.floor(Math.random() * STEP);
  let number = Number(line.dataset.number);
  let known = form.elements.draft_known.value.split(" ").map(Number); // the drafts that this text continues
  let other = null; // a draft from another window: the person chooses
  let changed = false; // since the text was last sent
  let since = 0; // when that began
  let isCopied = true; // in this tab
  let left = false; // the form is being sent
  let isHeld = false; // it was not sent, as there is no connection
  let before = ""; // what is said before a state
  let state = "";
  let failures = 0;
  let renewed = false;
  let isOver = false; // somebody signed out
  let timer = 0;
  let trying = null;

  form.addEventListener("input", typed);
  form.addEventListener("submit", sent);
  line.addEventListener("click", ({ target }) => {
    if (target.matches("a:not([target])")) left = true;
    if (target.matches("button")) takeOver();
  });
  addEventListener("online", () => {
    failures = 0;
    plan(0);
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) left = false;
  });
  addEventListener("beforeunload", (event) => {
    const isHereOnly = (changed || trying) && ASKS_TO_STAY.includes(state);
    if (isHereOnly && !left) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) hurry();
    else if (state === "signed-out") again();
  });
  // Rows are added and removed by buttons, which fire no input event.
  for (const body of form.querySelectorAll("fieldset.rows tbody")) {
    new MutationObserver(typed).observe(body, { childList: true });
  }
  // Whoever signs out in another tab leaves no text in this one either.
  addEventListener("signed-out", () => {
    isOver = true;
    if (changed || trying) again();
    else leave();
  });
  begin();

  function begin() {
    const held = read();
    if ("isAnswer" in line.dataset) {
      typed(); // the page shows again what was sent and not saved
    } else if (!held || held.text === words() || (held.isSent && held.number === number)) {
      forget(); // it is on the page, or was saved
    } else {
      fill(new URLSearchParams(held.text));
      for (const name of ["base_version", "draft_base"]) {
        if (form.elements[name]) form.elements[name].value = held.base;
      }
      const isOther = "isKept" in line.dataset && !held.known.includes(number);
      if (isOther) other = number;
      known = isOther ? held.known : [number, ...held.known];
      number = Math.max(number, held.number);
      before = line.dataset.sayBack;
      if (isOther) say("elsewhere", line.dataset.sayElsewhere);
      else say("back", "");
      typed();
    }
  }

  function typed(event) {
    if (event?.isTrusted) before = "";
    left = false;
    changed = true;
    since ||= Date.now();
    write();
    plan(Math.max(0, Math.min(WAIT, since + LONGEST - Date.now())));
  }

  function plan(pause) {
    clearTimeout(timer);
    if (changed) timer = setTimeout(send, pause);
  }

  // The person chose this page's text over that of another window.
  function takeOver() {
    known.push(other);
    other = null;
    say("saving", line.dataset.saySaving);
    again();
  }

  function again() {
    changed = true;
    plan(0);
  }

  // The page is hidden, perhaps for good: a request under way may not arrive.
  function hurry() {
    if (trying) changed = true;
    stop();
    send();
  }

  function stop() {
    trying?.abort();
    trying = null;
  }

  async function send() {
    if (!changed || left || trying || other !== null) return;
    clearTimeout(timer);
    changed = false;
    since = 0;
    const mine = (trying = new AbortController());
    const body = numbered();
    if (read()) write();
    const told = await ask(body, mine);
    if (trying !== mine) return; // the page has moved on
    trying = null;
    const pause = take(told);
    if (pause !== null) plan(pause);
  }

  function numbered() {
    number = next();
    const body = new URLSearchParams(new FormData(form));
    body.set("draft_number", number);
    body.set("draft_known", known.join(" "));
    known.push(number);
    return body;
  }

  function next() {
    return (Math.floor(number / STEP) + 1) * STEP + end;
  }

  // Returns the server's reply, or null if none came in time or it isn't ours.
  async function ask(body, stopped) {
    const patience = setTimeout(() => stopped.abort(), PATIENCE);
    const slow = setTimeout(() => {
      if (state !== "waiting") say("saving", line.dataset.saySaving);
    }, SLOW);
    const keepalive = document.hidden && body.toString().length < LIGHT;
    try {
      const options = { method: "POST", body, keepalive, signal: stopped.signal };
      const answer = await fetch(line.dataset.keep, options);
      if (answer.headers.get("Content-Type")?.startsWith("application/json")) {
        return await answer.json();
      }
      return FINAL.includes(answer.status) ? { state: "refused" } : null;
    } catch {
      return null;
    } finally {
      clearTimeout(patience);
      clearTimeout(slow);
    }
  }

  // Does what the server says; returns how long to wait, or null to wait for the next key.
  function take(told) {
    if (told?.state === "kept" || (told?.state === "signed_out" && told.kept)) kept();
    else changed = true;
    if (!told) {
      say("waiting", isHeld ? line.dataset.sayOffline : line.dataset.sayWaiting);
      return PAUSES[Math.min(failures++, PAUSES.length - 1)] * 1000;
    }
    failures = 0;
    switch (told.state) {
      case "kept":
        say("kept", told.said);
        return WAIT;
      case "behind":
        number = Math.max(number, told.number);
        if (!told.kept) return 0; // saved or discarded in another window
        other = told.number;
        say("elsewhere", line.dataset.sayElsewhere);
        return null;
      case "signed_out":
        if (isOver && told.kept) leave();
        say("signed-out", told.kept ? line.dataset.saySignedOut : line.dataset.saySignedOutHere);
        return SIGNED_OUT * 1000;
      case "token":
        if (renewed) break;
        renewed = true; // signed in again in another tab
        form.elements.csrf_token.value = told.token;
        return 0;
    }
    say("refused", told.said ?? line.dataset.sayRefused);
    return null;
  }

  function kept() {
    known = [number];
    renewed = false;
    isHeld = false;
    if (!changed) forget();
    const discard = form.querySelector("template[data-when-kept]");
    discard?.replaceWith(discard.content);
  }

  // Shows a state. Screen readers hear only a new one, not each time that the text is kept.
  function say(now, text) {
    const isQuiet = now === state || now === "saving" || (now === "kept" && state === "saving");
    said.setAttribute("aria-live", isQuiet ? "off" : "polite");
    if (now !== state) offer(now);
    state = line.dataset.state = now;
    const stay = changed && !isCopied && now !== "refused" ? line.dataset.sayStay : "";
    const full = [before, text, stay].filter(Boolean).join(" ");
    if (said.textContent !== full) said.textContent = full;
  }

  // Shows what can be done in a state beside its words.
  function offer(now) {
    line.querySelector("[data-offer]")?.remove();
    const parts = line.querySelector(`template[data-in=${now}]`);
    if (!parts) return;
    const place = document.createElement("span");
    place.dataset.offer = "";
    place.append(parts.content.cloneNode(true));
    said.after(" ", place);
  }

  function leave() {
    left = true;
    const link = line.querySelector("template[data-in=signed-out]").content.querySelector("a");
    location.replace(link.href);
  }

  function sent(event) {
    if (!navigator.onLine) {
      event.preventDefault();
      isHeld = true;
      typed();
      say("waiting", line.dataset.sayOffline);
      return;
    }
    clearTimeout(timer);
    stop();
    left = true;
    // Higher than any request under way, so that the draft doesn't come back once this is saved.
    form.elements.draft_known.value = known.join(" ");
    form.elements.draft_number.value = number = next();
    if (event.submitter && "discard" in event.submitter.dataset) forget();
    else if (changed || read()) write({ isSent: true, sentTo: line.dataset.back });
  }

  function words() {
    const data = new URLSearchParams(new FormData(form));
    for (const name of BESIDE) data.delete(name);
    return data.toString();
  }

  // The copy in this tab. A private window may not allow one; the draft on the server remains.

  function read() {
    try {
      const held = JSON.parse(sessionStorage.getItem(copy));
      return held?.known ? held : null;
    } catch {
      return null;
    }
  }

  function write(more = {}) {
    const base = form.elements.draft_base.value;
    try {
      sessionStorage.setItem(copy, JSON.stringify({ number, known, base, text: words(), ...more }));
      isCopied = true;
    } catch {
      forget();
      isCopied = false;
    }
  }

  function forget() {
    try {
      sessionStorage.removeItem(copy);
    } catch {
      // there is none
    }
  }
}

// Puts the text of a copy into the form, with as many rows as it had.
function fill(words) {
  const place = scrollY;
  for (const rows of form.querySelectorAll("fieldset.rows")) addRows(rows, words);
  const texts = new Map();
  for (const [name, text] of words) texts.set(name, [...(texts.get(name) ?? []), text]);
  for (const control of form.elements) {
    if (!control.name || !control.matches(FILLED)) continue;
    const given = texts.get(control.name) ?? [];
    if (control.matches("[type=checkbox], [type=radio]")) {
      control.checked = given.includes(control.value);
    } else {
      control.value = given[0] ?? "";
    }
  }
  document.activeElement?.blur();
  scrollTo({ top: place });
}

function addRows(rows, words) {
  const start = `${rows.id}-`;
  const indices = [...words.keys()]
    .filter((name) => name.startsWith(start))
    .map((name) => Number(name.slice(start.length).split("-")[0]));
  const body = rows.querySelector("tbody");
  const button = rows.querySelector("button[name=add_row]");
  const has = () => Number(body.lastElementChild?.dataset.index ?? -1);
  while (button && has() < Math.max(...indices) && body.children.length < Number(rows.dataset.max)) {
    button.click();
  }
}
