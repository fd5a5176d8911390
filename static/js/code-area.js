/* <code-area>: a JSON/template editor that stays a <textarea>.
   The textarea keeps the text, the caret, undo, spell-out by screen readers and form submission.
   Behind it a <pre> shows the same text in colour. Nothing to install, nothing to trap the Tab key.
   data-fields: [{path, type, sample}] to complete; data-complete: "placeholders" (after ${, the default) or "words"
   (any name that is being typed, as in JSONata); data-problems: [{line, message}] to underline; data-label: the name of
   the list of completions. Keys: arrows choose, Tab or Enter takes, Escape closes, Ctrl-Space opens. */
const TOK = /(\$\{[^}"\n]*\}?)|("(?:\\.|[^"\\\n])*"?)(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b|([{}[\],:])/g;
const esc = s => s.replace(/[&<>]/g, c => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c]);
const vars = s => s.replace(/\$\{[^}"]*\}?/g, m => `<span class="v">${m}</span>`);
const paint = line => {
  let out = "", at = 0;
  for (const m of line.matchAll(TOK)) {
    out += esc(line.slice(at, m.index)); at = m.index + m[0].length;
    if (m[1] != null) out += `<span class="v">${esc(m[1])}</span>`;
    else if (m[2] != null) out += `<span class="${m[3] ? "k" : "s"}">${vars(esc(m[2]))}</span>${m[3] ? `<span class="p">${m[3]}</span>` : ""}`;
    else if (m[4] != null) out += `<span class="n">${m[4]}</span>`;
    else if (m[5] != null) out += `<span class="b">${m[5]}</span>`;
    else out += `<span class="p">${m[6]}</span>`;
  }
  return out + esc(line.slice(at));
};
const PAIR = { "{": "}", "[": "]", '"': '"' };

class CodeArea extends HTMLElement {
  #lines = []; #marks = new Map(); #hits = []; #at = 0; #from = 0; #frame = 0;
  connectedCallback() {
    const ta = this.ta = this.querySelector("textarea");
    this.pre = Object.assign(document.createElement("pre"), { className: "code", ariaHidden: "true" });
    this.list = Object.assign(document.createElement("div"), { className: "complete", id: `${ta.id}-list`, hidden: true, role: "listbox", ariaLabel: this.dataset.label ?? "" });
    ta.before(this.pre); ta.after(this.list);
    if (this.dataset.fields) this.fields = JSON.parse(this.dataset.fields);
    Object.assign(ta, { spellcheck: false, autocapitalize: "off", autocomplete: "off", wrap: "off" });
    if (this.fields.length) { ta.setAttribute("aria-autocomplete", "list"); ta.setAttribute("aria-controls", this.list.id); }
    ta.addEventListener("input", () => { this.#draw(); this.#suggest(); });
    ta.addEventListener("scroll", () => { this.pre.scrollTop = ta.scrollTop; this.pre.scrollLeft = ta.scrollLeft; }, { passive: true });
    ta.addEventListener("keydown", e => this.#key(e));
    ta.addEventListener("blur", () => this.#close());
    if (this.dataset.problems) this.problems = JSON.parse(this.dataset.problems);
    this.list.addEventListener("pointerdown", e => { e.preventDefault(); const i = [...this.list.children].indexOf(e.target.closest("[role=option]")); if (i >= 0) this.#accept(i); });
    this.#draw();
  }
  /** [{path, type, sample}] */
  fields = [];
  /** [{line, message}] from the server */
  set problems(list) { this.#marks = new Map(list.map(p => [p.line - 1, p.message])); this.#lines = []; this.#draw(); this.ta.setAttribute("aria-invalid", String(list.length > 0)); }
  #draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => {
      const next = this.ta.value.split("\n"), rows = this.pre.children;
      for (let i = 0; i < next.length; i++) {                       // repaint only the lines that changed
        if (next[i] === this.#lines[i] && rows[i]) continue;
        const row = rows[i] ?? this.pre.appendChild(document.createElement("span"));
        row.className = this.#marks.has(i) ? "l bad" : "l"; row.innerHTML = paint(next[i]) + "\n";
      }
      while (rows.length > next.length) this.pre.lastChild.remove();
      this.#lines = next;
    });
  }
  /* Puts a text in place of the selection, as typing would: Undo takes it back in one step. */
  #put(text, back = 0) {
    const { ta } = this;
    if (!document.execCommand("insertText", false, text)) {
      ta.setRangeText(text, ta.selectionStart, ta.selectionEnd, "end");
      ta.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertText", data: text }));
    }
    if (back) ta.selectionStart = ta.selectionEnd = ta.selectionEnd - back;
  }
  #key(e) {
    const { ta } = this, open = !this.list.hidden;
    if (open && (e.key === "ArrowDown" || e.key === "ArrowUp")) { e.preventDefault(); return this.#select((this.#at + (e.key === "ArrowDown" ? 1 : -1) + this.#hits.length) % this.#hits.length); }
    if (open && (e.key === "Enter" || e.key === "Tab")) { e.preventDefault(); return this.#accept(this.#at); }
    if (open && e.key === "Escape") { e.preventDefault(); return this.#close(); }
    if (e.key === " " && e.ctrlKey) { e.preventDefault(); return this.#suggest(true); }
    if (e.isComposing || e.ctrlKey || e.metaKey || e.altKey) return;
    const before = ta.value.slice(0, ta.selectionStart), next = ta.value[ta.selectionEnd] ?? "";
    if (e.key === "Enter") { const pad = /^ */.exec(before.slice(before.lastIndexOf("\n") + 1))[0], deep = /[{[]\s*$/.test(before); e.preventDefault(); this.#put("\n" + pad + (deep ? "  " : "")); if (deep && "}]".includes(next) && next) this.#put("\n" + pad, pad.length + 1); return; }
    if (next && e.key === next && '"}]'.includes(e.key)) { e.preventDefault(); ta.selectionStart = ++ta.selectionEnd; return; }
    if (PAIR[e.key] && ta.selectionStart === ta.selectionEnd && (!next || /[\s,}\]"]/.test(next)) && !(e.key === '"' && /"[^"\n]*$/.test(before.split("\n").pop().replace(/\\"/g, "")) && (before.split("\n").pop().split('"').length % 2 === 0))) { e.preventDefault(); this.#put(e.key + PAIR[e.key], 1); this.#suggest(); }
  }
  #suggest(force) {
    const { ta } = this, before = ta.value.slice(0, ta.selectionStart), words = this.dataset.complete === "words";
    const m = (words ? /(?<![\w."'$])([A-Za-z_][\w.[\]]*)$/ : /\$\{([\w.[\]]*)$/).exec(before);
    if (!this.fields.length || (!m && !force) || (words && !force && (before.match(/"/g)?.length ?? 0) % 2)) return this.#close();
    const q = (m?.[1] ?? "").toLowerCase(); this.#from = ta.selectionStart - q.length;
    this.#hits = this.fields.filter(f => f.path.toLowerCase().includes(q)).sort((a, b) => b.path.toLowerCase().startsWith(q) - a.path.toLowerCase().startsWith(q)).slice(0, 8);
    if (!this.#hits.length) return this.#close();
    this.list.innerHTML = this.#hits.map((f, i) => `<div role="option" id="${ta.id}-o${i}"><span class="mono">${esc(f.path)}</span><span class="faint">${esc(f.type)}</span><span class="mono faint">${esc(f.sample ?? "")}</span></div>`).join("");
    const lines = before.split("\n"), cs = getComputedStyle(ta), ch = this.#ch ??= (() => { const c = document.createElement("canvas").getContext("2d"); c.font = cs.font; return c.measureText("0".repeat(100)).width / 100 + (parseFloat(cs.letterSpacing) || 0); })();
    this.list.style.left = `${parseFloat(cs.paddingLeft) + (lines.at(-1).length - q.length) * ch - ta.scrollLeft}px`;
    this.list.style.top = `${parseFloat(cs.paddingTop) + lines.length * parseFloat(cs.lineHeight) - ta.scrollTop + 4}px`;
    this.list.hidden = false; this.#select(0);
  }
  #ch;
  #select(i) { this.#at = i; [...this.list.children].forEach((o, j) => o.setAttribute("aria-selected", j === i)); this.ta.setAttribute("aria-activedescendant", `${this.ta.id}-o${i}`); }
  /* Puts the chosen path in place of the whole name around the caret, its closing brace too; the caret goes after it. */
  #accept(i) {
    const { ta } = this, after = ta.value.slice(ta.selectionEnd), words = this.dataset.complete === "words";
    const rest = (words ? /^[\w.[\]]*/ : /^[\w.[\]]*\}?/).exec(after)[0], end = ta.selectionEnd + rest.length;
    ta.setSelectionRange(this.#from, end);
    this.#put(this.#hits[i].path + (words ? "" : "}"));
    this.#close(); ta.dispatchEvent(new Event("change", { bubbles: true }));
  }
  #close() { this.list.hidden = true; this.ta.removeAttribute("aria-activedescendant"); }
}
customElements.define("code-area", CodeArea);
