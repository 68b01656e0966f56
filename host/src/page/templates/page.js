// What a browser adds to the SCIM page: copying, local times, the live log. Everything else works without it.
"use strict";

const status = document.getElementById("status");

function say(text) {
  status.textContent = text;
}

// Copying: a button names the field or the text that it copies.
for (const button of document.querySelectorAll("[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  const label = button.firstChild;
  let timer;
  button.hidden = false;
  button.addEventListener("click", async () => {
    let copied = true;
    try {
      await navigator.clipboard.writeText(source.value ?? source.textContent);
    } catch {
      // No clipboard without TLS: the older way, from the field itself.
      if (source.select) {
        source.select();
      } else {
        getSelection().selectAllChildren(source);
      }
      copied = document.execCommand("copy");
    }
    label.textContent = copied ? "Copied" : "Press Ctrl+C";
    say(copied ? "Copied to the clipboard." : "Selected. Press Ctrl+C to copy.");
    clearTimeout(timer);
    timer = setTimeout(() => { label.textContent = "Copy"; }, 2500);
  });
}

for (const field of document.querySelectorAll("input[readonly]")) {
  field.addEventListener("focus", () => field.select());
}

// The token is shown once: nobody leaves it behind by mistake.
const stored = document.querySelector("[data-stored]");
if (stored) {
  let leaving = false;
  stored.form.addEventListener("submit", () => { leaving = true; });
  addEventListener("beforeunload", (event) => {
    if (!leaving && !stored.checked) {
      event.preventDefault();
    }
  });
}

// Times are shown in UTC; the reader's own is a hover away.
const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.title = `${local.format(new Date(time.dateTime))} (your time)`;
  }
}
localTimes(document);

// On a phone the navigation is wider than the screen: where one is comes into view.
const here = document.querySelector(".tabs [aria-current]");
if (here) {
  const tabs = here.parentElement;
  const centre = () => { tabs.scrollLeft = here.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - here.offsetWidth) / 2; };
  centre();
  addEventListener("resize", centre);
}

// A form is sent once.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
    }
    form.dataset.sent = "yes";
  });
}
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
  }
});

// The live log: rows come as the server renders them, and are put where they belong.
const MOST_ROWS = 500;

function follow(button) {
  const body = document.querySelector(`#${button.dataset.into} tbody`);
  let source = null;
  let fresh = 0;

  function add(event) {
    const template = document.createElement("template");
    template.innerHTML = event.data;
    const row = template.content.querySelector("tr");
    const known = (other) => other.dataset.entry === row.dataset.entry;
    if (!row || Array.from(body.rows).some(known)) {
      return;
    }
    row.classList.add("fresh");
    localTimes(row);
    body.prepend(row);
    document.querySelector("[data-empty]")?.remove();
    while (body.rows.length > MOST_ROWS) {
      body.lastElementChild.remove();
    }
    fresh += 1;
    say(fresh === 1 ? "One new request." : `${fresh} new requests.`);
  }

  function turn(on) {
    button.setAttribute("aria-pressed", String(on));
    source?.close();
    source = null;
    fresh = 0;
    if (on) {
      source = new EventSource(button.dataset.live);
      source.addEventListener("entry", add);
      source.addEventListener("error", () => {
        if (source?.readyState === EventSource.CLOSED) {
          turn(false);
          say("The live log has ended. Reload the page to sign in again.");
        }
      });
    }
  }

  button.hidden = false;
  button.addEventListener("click", () => turn(button.getAttribute("aria-pressed") !== "true"));
  addEventListener("pagehide", () => source?.close());
}

document.querySelectorAll("[data-live]").forEach(follow);
