// Keeps what is being typed as a private draft: on the server, and in this tab until it is there.
// Everything else works without it. The words it shows come from the page and from the server.

const WAIT = 2000; // after the last key
const PAUSES = [2, 4, 8, 16, 32, 60]; // seconds between tries while the line is bad
const PATIENCE = 20000; // with one try
const SIGNED_OUT = 30; // seconds until it is asked whether somebody signed in again
const OWN = ["csrf_token", "draft_number", "draft_page"]; // what the page knows better than a copy

const line = document.querySelector("[data-keep]");
const form = line?.closest("form");
if (form) start();

function start() {
  const copy = `draft:${line.dataset.key}`;
  const said = line.querySelector("[role=status]");
  let number = Number(line.dataset.number); // of the draft that the server holds
  let changed = false; // since it was last sent
  let left = false; // the form is on its way
  let state = "";
  let failures = 0;
  let renewed = false;
  let timer = 0;
  let trying = null;

  form.addEventListener("input", typed);
  form.addEventListener("change", typed);
  form.addEventListener("submit", sent);
  addEventListener("online", () => plan(0));
  addEventListener("pageshow", (event) => {
    if (event.persisted) left = false;
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || state === "signed-out") send();
  });
  // Rows are added and taken out by buttons, which tell no input.
  for (const body of form.querySelectorAll("fieldset.rows tbody")) {
    new MutationObserver(typed).observe(body, { childList: true });
  }
  begin();

  function begin() {
    const held = read();
    if ("isAnswer" in line.dataset) {
      typed(); // the page shows again what was sent and not saved
    } else if (held && held.number > number) {
      fill(new URLSearchParams(held.text));
      number = held.number - 1;
      say("back", line.dataset.sayBack);
      typed();
    } else {
      forget();
    }
  }

  function typed() {
    changed = true;
    write(false);
    plan(WAIT);
  }

  function plan(pause) {
    clearTimeout(timer);
    if (changed) timer = setTimeout(send, pause);
  }

  async function send() {
    if (!changed || left || trying) return;
    clearTimeout(timer);
    changed = false;
    const body = new URLSearchParams(new FormData(form));
    body.set("draft_number", number + 1);
    trying = new AbortController();
    const patience = setTimeout(() => trying.abort(), PATIENCE);
    const options = { method: "POST", body, signal: trying.signal, keepalive: document.hidden };
    let pause = WAIT;
    try {
      pause = await take(await fetch(line.dataset.keep, options));
    } catch {
      pause = failed(); // no line, no answer in time, or one that is not ours
    }
    clearTimeout(patience);
    trying = null;
    if (!left && pause !== null) plan(pause);
  }

  // Does what the server's answer asks for; returns how long to wait, or null for the next key.
  async function take(answer) {
    const isOurs = answer.headers.get("Content-Type")?.startsWith("application/json");
    if (!isOurs && answer.status >= 500) return failed();
    const told = isOurs ? await answer.json() : { state: "refused" };
    failures = 0;
    if (told.state === "kept") {
      number = told.number;
      renewed = false;
      if (!changed) forget();
      form.querySelector("[data-discard]").hidden = false;
      form.elements.draft_number.value = number + 1;
      say("kept", told.said);
      return WAIT;
    }
    changed = true;
    if (told.state === "behind") {
      number = told.number; // another window of the same person was faster
      return 0;
    }
    if (told.state === "token" && !renewed) {
      renewed = true; // signed in again in another tab
      form.elements.csrf_token.value = told.token;
      return 0;
    }
    if (told.state === "signed_out") {
      say("signed-out", line.dataset.saySignedOut);
      return SIGNED_OUT * 1000;
    }
    say("refused", told.said ?? line.dataset.sayRefused);
    return null;
  }

  function failed() {
    changed = true;
    say("waiting", line.dataset.sayWaiting);
    return PAUSES[Math.min(failures++, PAUSES.length - 1)] * 1000;
  }

  // Says a state. Only a new one is told to people who listen, not each time that a text is kept.
  function say(now, words) {
    said.setAttribute("aria-live", now === state ? "off" : "polite");
    state = now;
    line.querySelector("a").hidden = now !== "signed-out";
    if (said.textContent !== words) said.textContent = words;
  }

  function sent(event) {
    clearTimeout(timer);
    left = true;
    trying?.abort();
    if (event.submitter && "discard" in event.submitter.dataset) forget();
    else if (changed || read()) write(true);
    // Above what is still on its way, so that it does not come back once this is saved.
    form.elements.draft_number.value = number + 2;
  }

  // The copy in this tab. A private window may not allow any; the draft on the server is there.

  function read() {
    try {
      return JSON.parse(sessionStorage.getItem(copy));
    } catch {
      return null;
    }
  }

  function write(isSent) {
    const data = new URLSearchParams(new FormData(form));
    for (const name of OWN) data.delete(name);
    const held = { number: number + (isSent ? 2 : 1), text: data.toString() };
    if (isSent) held.sentTo = line.dataset.back;
    try {
      sessionStorage.setItem(copy, JSON.stringify(held));
    } catch {
      forget();
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

// Puts the words of a copy into the form, as many rows as it had.
function fill(words) {
  const place = scrollY;
  for (const rows of form.querySelectorAll("fieldset.rows")) addRows(rows, words);
  const texts = new Map();
  for (const [name, text] of words) texts.set(name, [...(texts.get(name) ?? []), text]);
  for (const control of form.elements) {
    if (!control.name || OWN.includes(control.name)) continue;
    if (!control.matches("input, select, textarea")) continue;
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
