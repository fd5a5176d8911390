/* The live feed: one WebSocket per tab. A page says in <body data-topics> and by [data-live] what it shows; the server
   sends HTML for those places. Stops while the tab is hidden, after 15 minutes without a hand on it, and on Pause; when
   it goes on, the page is told what it missed. */
const MOST_ROWS = 200, IDLE = 15 * 60_000, LONGEST = 30_000, KEPT = 120_000, NOTED = 8_000;
let socket = null, waiting = 0, timer = 0, asked = "", paused = false, idle = false, hand = 0, head = null, shown = Promise.resolve(), noted = 0;

const places = () => [...document.querySelectorAll("[data-live]")];
const topics = () => [...new Set([...(document.body.dataset.topics ?? "").split(/\s+/), ...places().map(place => place.dataset.live)])].filter(topic => topic && !/^(targets|charts):/.test(topic));
const newest = place => Math.max(0, ...[...place.children].map(row => Number(row.dataset.id) || 0));
const since = () => Object.fromEntries(places().filter(place => place.dataset.liveHow !== "replace").map(place => [place.dataset.live, newest(place)]));
const wanted = () => !document.hidden && !paused && !idle;

function ask() {
  if (socket?.readyState !== WebSocket.OPEN) return;
  const list = topics(), text = JSON.stringify(list);
  if (text === asked) return;
  asked = text;
  socket.send(JSON.stringify({ topics: list, since: since(), language: document.documentElement.lang, head }));
}

/* Messages are shown in the order they came, also while one is still being inflated. */
async function take(data) {
  const text = await new Response(new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).text();
  const message = JSON.parse(text);
  if (message.again) { asked = ""; ask(); return; }     // the server went on without this page
  head = message.head || head;
  for (const part of message.parts) show(part);
  if (message.note) note(message.note);
}

function note(text) {
  const place = document.getElementById("live-note");
  if (!place) return;
  place.textContent = text; place.hidden = false;
  clearTimeout(noted);
  noted = setTimeout(() => { place.hidden = true; }, NOTED);
}

function connect() {
  clearTimeout(timer);
  if (!wanted() || socket || !topics().length) return;
  const here = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/console/`);
  socket = here; asked = ""; here.binaryType = "arraybuffer";
  here.onopen = () => { waiting = 0; ask(); };
  here.onmessage = event => { shown = shown.then(() => here === socket && take(event.data)).catch(error => console.warn(error)); };
  here.onclose = event => {
    if (socket === here) socket = null;
    if (event.code === 4401) return;              // signed out: the next page asks to sign in
    waiting = Math.min(waiting ? waiting * 2 : 500, LONGEST);
    timer = setTimeout(connect, waiting * (0.5 + Math.random() / 2));
  };
}

function disconnect() { clearTimeout(timer); const old = socket; socket = null; if (old) { old.onclose = null; old.close(); } }
const decide = () => wanted() ? connect() : disconnect();

function show(part) {
  const found = part.topic === "rate" ? [document.getElementById("live-rate")] : document.querySelectorAll(`[data-live="${CSS.escape(part.topic)}"]`);
  for (const place of found) {
    if (!place) continue;
    if (part.how === "replace") {
      if (place.contains(document.activeElement) || place.querySelector(".pointed") || place.matches(":hover") && getSelection()?.toString()) continue;
      place.innerHTML = part.html; place.hidden = false;
      globalThis.htmx?.process(place);
      // For parts of a page that htmx fetches again: hx-trigger="live:dead-letters from:body".
      // Not while a dialog is open: fetching the part again would close it under a person's hands.
      if (!document.querySelector(":popover-open")) document.body.dispatchEvent(new CustomEvent(`live:${part.topic}`));
    } else prepend(place, part);
  }
}

function prepend(place, part) {
  const sheet = document.createElement("template");
  sheet.innerHTML = part.html;
  const there = new Set([...place.children].map(row => row.dataset.id));
  const rows = [...sheet.content.children].filter(row => !there.has(row.dataset.id));
  if (!rows.length) return;
  const above = place.getBoundingClientRect().top < 0 && scrollY > 0, before = document.documentElement.scrollHeight;
  place.prepend(...rows);
  const most = Math.min(Number(place.dataset.liveRows) || MOST_ROWS, MOST_ROWS);
  while (place.children.length > most) {
    const row = place.dataset.liveFair === undefined ? place.lastElementChild : leaving(place);
    if (row.contains(document.activeElement)) break;
    row.remove();
  }
  if (above) scrollBy(0, document.documentElement.scrollHeight - before);   // what is being read stays where it is
  const around = place.closest("section, main") ?? document;
  around.querySelectorAll("[data-live-empty]").forEach(empty => empty.remove());
  const note = around.querySelector("[data-live-sampled]");
  if (note) note.textContent = part.sampled;
}

/* Which row goes first where no source may crowd out the others: the last one older than two minutes, or of a source
   that has a newer row; else the last. The server chooses the same way (delivery/pages/lines.py). */
function leaving(place) {
  const seen = new Set(), rows = [...place.children], spare = [];
  for (const row of rows) {
    const old = Date.now() - Date.parse(row.querySelector("time")?.dateTime) > KEPT;
    if (old || seen.has(row.dataset.source)) spare.push(row);
    seen.add(row.dataset.source);
  }
  return spare.at(-1) ?? rows.at(-1);
}

class LivePause extends HTMLElement {
  connectedCallback() {
    this.hidden = false;
    const button = this.querySelector("button");
    button.addEventListener("click", () => {
      paused = !paused;
      button.setAttribute("aria-pressed", paused);
      this.querySelector("[data-running]").hidden = paused;
      this.querySelector("[data-paused]").hidden = !paused;
      decide();
    });
  }
}
customElements.define("live-pause", LivePause);

const alive = () => { hand = Date.now(); if (idle) { idle = false; decide(); } };
for (const name of ["pointermove", "keydown", "scroll", "focus"]) addEventListener(name, alive, { passive: true });
setInterval(() => { if (!idle && Date.now() - hand > IDLE) { idle = true; decide(); } }, 30_000);
document.addEventListener("visibilitychange", decide);
document.addEventListener("htmx:afterSettle", ask);
addEventListener("pagehide", disconnect);
addEventListener("pageshow", decide);
alive(); decide();
