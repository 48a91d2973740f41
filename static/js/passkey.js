// Asks the browser for a passkey, and sends its response with the surrounding form. The words it
// shows come from the page. Without a script the other ways beside it remain.

for (const place of document.querySelectorAll("[data-passkey]")) offer(place);

function offer(place) {
  const { passkey: act, into, options } = place.dataset;
  const part = place.querySelector("template").content.cloneNode(true);
  const button = part.querySelector("button");
  const said = place.querySelector("[data-said]");
  const form = place.closest("form");
  const say = (what) => (said.textContent = place.dataset[what] ?? "");
  const read =
    act === "create" ? "parseCreationOptionsFromJSON" : "parseRequestOptionsFromJSON";

  if (!window.PublicKeyCredential?.[read]) return say("sayUnable");
  if (location.origin !== place.dataset.origin) return say("sayElsewhere");
  say("");
  place.prepend(part);
  button.addEventListener("click", ask);
  if ("auto" in place.dataset) ask();

  async function ask() {
    button.disabled = true;
    say("sayWaits");
    try {
      const publicKey = PublicKeyCredential[read](JSON.parse(options));
      const answer = await navigator.credentials[act]({ publicKey });
      form.elements[into].value = JSON.stringify(answer.toJSON());
      form.submit();
    } catch (error) {
      button.disabled = false;
      say(error.name === "InvalidStateError" ? "sayKnown" : "sayRefused");
    }
  }
}
