/* The rule editor. What the server found wrong goes from its answer into the code areas, line by line; "Live" asks for
   the preview again every two seconds. Everything else is htmx and CSS. */
const LIVE = 2000;
const form = () => document.getElementById("rule-form");
const suggestedRule = () => document.getElementById("name-suggested")?.value;
let lastSuggested = suggestedRule();

const hand = () => {
  for (const { dataset } of document.querySelectorAll("[data-area][data-problems]")) {
    const area = document.getElementById(dataset.area);
    if (area) area.problems = JSON.parse(dataset.problems).filter(Boolean);
  }
  /* A target without a name is called after where it delivers. */
  const named = document.getElementById("id_target-name"), suggested = document.getElementById("target-suggested");
  if (named && suggested?.dataset.name) named.placeholder = suggested.dataset.name;
  /* A rule's name that nobody wrote follows its type and target. */
  const rule = document.getElementById("id_name"), now = suggestedRule();
  if (rule && now && now !== lastSuggested && rule.value === lastSuggested) rule.value = rule.defaultValue = now;
  lastSuggested = now;
};
customElements.whenDefined("code-area").then(hand);
document.addEventListener("htmx:afterSettle", hand);

/* After "Not saved" the caret goes to the first mistake, whatever is folded around it. */
const lead = () => {
  if (!form()?.hasAttribute("data-failed")) return;
  form().removeAttribute("data-failed");
  const first = form().querySelector('[aria-invalid="true"], .wrong .err, #start-count .err');
  const said = first?.closest(".wrong, #start-count");
  const at = said ? document.querySelector(`[aria-describedby~="${said.id}"]`) : first;
  for (let fold = at?.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  at?.focus();
};
customElements.whenDefined("code-area").then(lead);
document.addEventListener("htmx:afterSettle", lead);

/* Enter in the field of another type adds it, and the caret stays for the next one. */
document.addEventListener("keydown", event => {
  if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.target.id !== "add-type") return;
  event.preventDefault();
  document.getElementById("add-type-button").click();
});

/* A button puts a new form in place. What was asked about the old one is not shown beside it: the new one asks itself. */
const asked = new WeakMap();
document.addEventListener("htmx:beforeSend", event => asked.set(event.detail.xhr, form()));
document.addEventListener("htmx:beforeSwap", event => {
  if (event.detail.target?.id === "preview" && asked.get(event.detail.xhr) !== form()) event.detail.shouldSwap = false;
});

/* A method without a value hides its field at once, not only after the server has answered. */
const WITHOUT = new Set(["present", "absent", "null"]);
document.addEventListener("change", event => {
  if (event.target.name === "method") event.target.closest(".cond")?.classList.toggle("valueless", WITHOUT.has(event.target.value));
});

/* Settings that say something only beside others are shown with them. */
const suit = () => {
  for (const field of document.querySelectorAll("[data-when]")) {
    const prefix = field.name.slice(0, field.name.lastIndexOf("-") + 1);
    field.closest(".field").hidden = !field.dataset.when.split(";").every(one => {
      const [name, values] = one.split("=");
      const other = field.form.elements[prefix + name];
      return values.split(",").includes(other.type === "checkbox" ? (other.checked ? "on" : "") : other.value);
    });
  }
};
suit();
document.addEventListener("change", suit);
document.addEventListener("htmx:afterSettle", suit);

/* The server never gives back a secret that was typed; it stays in its field until it is saved. */
let typed = new Map();
const secret = () => form()?.querySelectorAll("[data-secret]") ?? [];
document.addEventListener("htmx:beforeSwap", event => {
  if (event.detail.target === form()) typed = new Map([...secret()].map(field => [field.name, field.value]));
});
document.addEventListener("htmx:afterSettle", () => {
  for (const field of secret()) {
    const before = typed.get(field.name);
    if (before && (field.value === "" || field.value.includes("••••"))) field.value = before;
  }
});

setInterval(() => {
  const live = document.getElementById("window-live");
  if (live?.checked && !document.hidden && !document.activeElement?.closest("#preview .pressable")) htmx.trigger(form(), "live");
}, LIVE);

/* Ctrl-Enter (⌘ ↵) tries the rule at once. */
addEventListener("keydown", event => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && form()?.contains(event.target)) { event.preventDefault(); htmx.trigger(form(), "live"); }
});
