// What a page does a little better with a script. Everything works without it.

// Browsers that don't know autofocus on a part: put the reader on the list of problems.
if (!("autofocus" in HTMLElement.prototype)) document.querySelector(".error-summary")?.focus();

// "Add a row" without asking the server. The blank row stands in a template beside the table.
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
