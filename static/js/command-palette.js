/* The command palette (Ctrl-K, ⌘K): a combobox with a list (ARIA 1.2). Pages and actions are in the page and are sorted
   here; the rest is the server's answer, of which only that to the last question counts. */
const DELAY = 120, IN_A_SECTION = 6, LATELY = 6;
const dialog = document.getElementById("palette");
const inDialog = what => dialog.querySelector(what);
const all = (what, within = dialog) => [...within.querySelectorAll(what)];

const start = () => {
  const field = inDialog("[role=combobox]"), list = inDialog("[role=listbox]"), found = inDialog("[data-found]");
  const said = inDialog("[role=status]"), recent = inDialog("[data-recent]"), kept = `signalbox-recent-${dialog.dataset.person}`;
  const groups = all("[data-listed]").map(group => ({
    group,
    lines: all("[role=option]", group).map(option => {
      const title = option.querySelector(".t").textContent;
      return { option, title, low: title.toLowerCase(), also: (option.dataset.also ?? "").toLowerCase() };
    }),
  }));
  let timer = 0, asking = null, stale = false, moved = false, waiting = false, active = null, numbered = 0;

  /* ── what was chosen lately ── */
  const lately = () => {
    try {
      const read = JSON.parse(localStorage.getItem(kept)) ?? [];
      return read.filter(one => typeof one?.title === "string" && (one.do || /^\/(?!\/)/.test(one.href))).slice(0, LATELY);
    } catch { return []; }
  };
  const remember = option => {
    if ("passing" in option.dataset) return;
    const { href = "", do: deed = "" } = option.dataset;
    const one = { href, do: deed, title: option.querySelector(".t").textContent, note: option.querySelector(".saying")?.textContent ?? "" };
    const others = lately().filter(other => other.href !== href || other.do !== deed);
    try { localStorage.setItem(kept, JSON.stringify([one, ...others].slice(0, LATELY))); } catch { /* then nothing is remembered */ }
  };
  const showLately = () => {
    all("[role=option]", recent).forEach(option => option.remove());
    for (const one of lately()) {
      const option = document.getElementById("palette-recent").content.firstElementChild.cloneNode(true);
      if (one.href) option.dataset.href = one.href;
      if (one.do) option.dataset.do = one.do;
      option.querySelector(".t").textContent = one.title;
      option.querySelector(".saying").textContent = one.note;
      recent.append(option);
    }
  };

  /* ── pages and actions ── */
  const closeness = ({ low, also }, words) => {
    let rank = 0;
    for (const word of words) {
      const at = low.indexOf(word);
      if (at < 0 && !also.includes(word)) return -1;
      rank += at < 0 ? 20 : at === 0 ? 0 : /[\s/-]/.test(low[at - 1]) || low.includes(` ${word}`) ? 1 : 5;
    }
    return rank;
  };
  const mark = ({ option, title, low }, words) => {
    const inside = new Array(title.length).fill(false);
    for (const word of words) for (let at = low.indexOf(word); at >= 0; at = low.indexOf(word, at + 1)) inside.fill(true, at, at + word.length);
    const parts = [];
    for (let from = 0, to; from < title.length; from = to) {
      for (to = from + 1; to < title.length && inside[to] === inside[from];) to++;
      const text = title.slice(from, to);
      if (inside[from]) { const node = document.createElement("mark"); node.textContent = text; parts.push(node); } else parts.push(text);
    }
    option.querySelector(".t").replaceChildren(...parts);
  };
  const sort = words => {
    for (const { group, lines } of groups) {
      const shown = lines.map((line, place) => ({ ...line, place, rank: closeness(line, words) }))
        .filter(line => line.rank >= 0).sort((a, b) => a.rank - b.rank || a.place - b.place).slice(0, words.length ? IN_A_SECTION : undefined);
      for (const line of lines) line.option.hidden = true;
      for (const line of shown) { line.option.hidden = false; mark(line, words); group.append(line.option); }
      group.hidden = !shown.length;
    }
  };

  /* ── the list as a whole ── */
  const options = () => all("[role=option]").filter(one => !one.hidden && !one.closest("[hidden]") && !(stale && found.contains(one)));
  const point = option => {
    active?.setAttribute("aria-selected", "false");
    active = option ?? null;
    active?.setAttribute("aria-selected", "true");
    if (active) field.setAttribute("aria-activedescendant", active.id); else field.removeAttribute("aria-activedescendant");
    active?.scrollIntoView({ block: "nearest" });
  };
  const show = () => {
    const nothing = found.querySelector("[data-nothing]");
    if (nothing) nothing.hidden = groups.some(({ group }) => !group.hidden);
    found.classList.toggle("stale", stale);
    list.hidden = false;  // or nothing in it would count
    const now = options();
    for (const option of now) option.id ||= `palette-option-${++numbered}`;
    const any = now.length > 0 || found.childElementCount > 0;
    list.hidden = !any;
    field.setAttribute("aria-expanded", String(any));
    point(moved && now.includes(active) ? active : now[0]);
    if (!asking) said.textContent = now.length === 1 ? said.dataset.one : now.length ? said.dataset.many.replace("%s", now.length) : said.dataset.none;
  };
  const outcome = what => {
    inDialog("[data-failed]").hidden = what !== "failed";
    inDialog("[data-signed-out]").hidden = what !== "signed out";
  };

  /* ── asking the server ── */
  const ask = async query => {
    const mine = asking = new AbortController();
    let html = "", what = "";
    try {
      const answer = await fetch(`${dialog.dataset.url}?q=${encodeURIComponent(query)}`, { signal: mine.signal, headers: { "HX-Request": "true" } });
      if (answer.ok) html = await answer.text(); else what = answer.status === 401 ? "signed out" : "failed";
    } catch { what = "failed"; }
    if (mine !== asking) return;
    asking = null; stale = false;
    found.innerHTML = html;
    outcome(what);
    show();
    if (waiting) { waiting = false; if (active) choose(active, false); }
  };
  const look = (at = DELAY) => {
    const query = field.value.trim();
    clearTimeout(timer);
    asking?.abort(); asking = null;
    moved = waiting = false;
    recent.hidden = Boolean(query) || !lately().length;
    sort(query.toLowerCase().split(/\s+/).filter(Boolean));
    outcome("");
    if (query) {
      stale = true;
      asking = new AbortController();  // Until the question is sent, this stands for it.
      timer = setTimeout(ask, at, query);
    } else { stale = false; found.replaceChildren(); }
    show();
    list.scrollTop = 0;
  };

  const choose = (option, newTab) => {
    const { href, do: deed } = option.dataset;
    if (deed === "palette-again") return look(0);
    remember(option);
    dialog.close();
    if (deed) document.dispatchEvent(new CustomEvent("deed", { detail: deed }));
    else if (newTab) window.open(href, "_blank", "noopener");
    else location.assign(href);
  };
  const open = () => {
    if (dialog.open) return dialog.close();
    document.querySelector("dialog[open]")?.close();
    field.value = "";
    showLately();
    dialog.showModal();
    field.focus();
    look();
  };

  field.addEventListener("input", () => look());
  field.addEventListener("keydown", event => {
    if (event.isComposing) return;
    const now = options(), at = now.indexOf(active);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!now.length) return;
      moved = true;
      const next = event.key === "ArrowDown" ? at + 1 : at - 1;
      point(now[(next + now.length) % now.length]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (active && now.includes(active)) choose(active, event.ctrlKey || event.metaKey);
      else if (asking) waiting = true;
    }
  });
  list.addEventListener("pointerdown", event => event.preventDefault());  // The caret stays in the field.
  const press = event => {
    const option = event.target.closest("[role=option]");
    if (option && options().includes(option) && event.button < 2) choose(option, event.button === 1 || event.ctrlKey || event.metaKey);
  };
  list.addEventListener("click", press);
  list.addEventListener("auxclick", press);
  inDialog(".foot [data-do]").addEventListener("click", () => {
    dialog.close();
    document.dispatchEvent(new CustomEvent("deed", { detail: "keys" }));
  });
  dialog.addEventListener("close", () => { clearTimeout(timer); asking?.abort(); asking = null; waiting = false; });
  addEventListener("keydown", event => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
  document.addEventListener("click", event => { if (event.target.closest?.("[data-open-palette]")) open(); });
};
if (dialog) start();
