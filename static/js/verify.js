// Checks a file without sending it: the digest is computed here, and only that is sent.
// Without this, or where the browser can't compute digests, the form sends the file.

const form = document.getElementById("verify-file");
const field = form?.querySelector("input[type=file]");
const line = form?.querySelector("[data-marker]");
const ZIP = [0x50, 0x4b, 3, 4];
if (field && line && globalThis.crypto?.subtle) start();

function start() {
  line.textContent = line.dataset.here;
  form.addEventListener("submit", (event) => {
    if (!field.files.length) return; // the server says what is missing
    event.preventDefault();
    check(field.files[0], field.files);
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    form.addEventListener(kind, (event) => {
      event.preventDefault();
      form.toggleAttribute("data-over", kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files.length) {
        check(event.dataTransfer.files[0], event.dataTransfer.files);
      }
    });
  }
}

async function check(file, chosen) {
  try {
    const bytes = await file.arrayBuffer();
    if (isZip(bytes)) return send(chosen);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const asked = new URLSearchParams({ file: hex(digest) });
    const text = claimed(bytes);
    if (text) asked.set("text", text);
    location.assign(`${form.action}?${asked}`);
  } catch {
    line.textContent = line.dataset.failed;
  }
}

// An evidence bundle: each of its parts is checked, so the server needs the file.
function isZip(bytes) {
  return ZIP.every((byte, place) => new Uint8Array(bytes)[place] === byte);
}

function send(files) {
  field.files = files;
  form.submit();
}

// The text whose certificate the file claims to be, which it names in plain letters.
function claimed(bytes) {
  const letters = new TextDecoder("latin1").decode(bytes);
  const at = letters.indexOf(line.dataset.marker);
  const text = letters.slice(at + line.dataset.marker.length).slice(0, 64);
  return at >= 0 && /^[0-9a-f]{64}$/.test(text) ? text : "";
}

function hex(bytes) {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
