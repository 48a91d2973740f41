// Small improvements for pages with a script. Everything works without it.

// For browsers without autofocus on any element: move the focus to the list of problems.
if (!("autofocus" in HTMLElement.prototype)) document.querySelector(".error-summary")?.focus();

// A form is sent once, even by a double click. For three seconds only: a form that brings a file
// leaves its page as it is, for the next.
addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.getAttribute("method") !== "post") return;
  if (form.dataset.isSent) return event.preventDefault();
  form.dataset.isSent = "yes";
  setTimeout(() => delete form.dataset.isSent, 3000);
});

// Printing needs a script; without one the browser's own menu prints the page.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

// "Add a row" without asking the server. The blank row is in a template beside the table.
for (const button of document.querySelectorAll("button[name=add_row]")) {
  const rows = document.getElementById(button.value);
  const blank = rows?.querySelector("template");
  const body = rows?.querySelector("tbody");
  if (!blank || !body) continue;
  button.addEventListener("click", (event) => {
    const last = body.lastElementChild;
    const index = last ? Number(last.dataset.index) + 1 : 0;
    if (body.children.length >= Number(rows.dataset.max)) return; // the server says why
    event.preventDefault();
    const row = blank.content.querySelector("tr").cloneNode(true);
    row.dataset.index = index;
    for (const part of row.querySelectorAll("*")) {
      for (const { name, value } of [...part.attributes]) {
        if (value.includes("__row__")) part.setAttribute(name, value.replaceAll("__row__", index));
      }
      if (part.matches("[data-row-number]")) part.textContent = body.children.length + 1;
    }
    body.append(row);
    row.querySelector("input, select, textarea")?.focus();
  });
}

// What was typed and isn't on the server yet stays in this tab (drafts.js). It is deleted once a
// form was saved, as the page that the server redirects to shows; when somebody else is signed in;
// and when somebody signs out, in every tab.
const draftKeys = () => Object.keys(sessionStorage).filter((key) => key.startsWith("draft:"));
const forgetDrafts = () => draftKeys().forEach((key) => sessionStorage.removeItem(key));
try {
  const { person } = document.body.dataset;
  const wasLedHere = performance.getEntriesByType("navigation")[0]?.redirectCount > 0;
  for (const key of draftKeys()) {
    const { sentTo, ...held } = JSON.parse(sessionStorage.getItem(key));
    const isSaved = wasLedHere && sentTo === location.pathname;
    const isOthers = person && !key.startsWith(`draft:${person}:`);
    if (isSaved || isOthers) sessionStorage.removeItem(key);
    else if (sentTo) sessionStorage.setItem(key, JSON.stringify(held));
  }
  const signedOut = new BroadcastChannel("signed-out");
  signedOut.onmessage = () => {
    forgetDrafts();
    setTimeout(() => dispatchEvent(new Event("signed-out")), 1000); // by then the server knows
  };
  document.querySelector("form[action$='/sign-out']")?.addEventListener("submit", () => {
    forgetDrafts();
    signedOut.postMessage("");
  });
} catch {
  // A window without storage.
}

// A link from another page to an item of a checklist unfolds it.
const linked = location.hash && document.getElementById(location.hash.slice(1));
if (linked && linked.matches(".item-line")) linked.querySelector("details").open = true;

// A wide table takes the focus only where it has to be scrolled.
const wide = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
for (const place of document.querySelectorAll(".scroll[tabindex]")) wide.observe(place);
