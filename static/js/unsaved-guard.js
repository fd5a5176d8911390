/* Forms marked data-guard: whoever would leave the page with something unsaved in them is asked first. Unsaved is what
   differs from what was served; data-guard="changed" is what was served unsaved, such as a form that came back with
   errors. Fields named in data-guard-but do not count. Not asked after the form was sent. */
let sent = null;
const guarded = () => [...document.querySelectorAll("form[data-guard]")];
const plain = text => text.replaceAll("\r\n", "\n");
const differs = field => {
  if (field.disabled || field.type === "hidden") return false;
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field.type === "file") return field.files.length > 0;
  if (field.type === "select-multiple") return [...field.options].some(option => option.selected !== option.defaultSelected);
  if (field.type === "select-one") {
    const options = [...field.options], served = options.findLastIndex(option => option.defaultSelected);
    return field.selectedIndex !== (served < 0 ? options.findIndex(option => !option.disabled) : served);
  }
  return "defaultValue" in field && field.tagName !== "OUTPUT" && plain(field.value) !== plain(field.defaultValue);
};
const changed = form => {
  const but = (form.dataset.guardBut ?? "").split(" ");
  return form.dataset.guard === "changed" || [...form.elements].some(field => field.name && !but.includes(field.name) && differs(field));
};
const unsaved = () => guarded().some(form => form !== sent && changed(form));
const stays = () => !confirm(document.body.dataset.leave);

/* Last of all, when nobody has kept the form from being sent. */
addEventListener("submit", event => { if (!event.defaultPrevented && event.target.matches("form[data-guard]")) sent = event.target; });
addEventListener("input", () => { sent = null; });
addEventListener("pageshow", () => { sent = null; });
addEventListener("beforeunload", event => {
  if (!unsaved()) return;
  event.preventDefault();
  event.returnValue = document.body.dataset.leave;
});

/* htmx: an answer that takes the place of a form around it is leaving it, unless the form itself asked. */
const kept = new Set();
document.addEventListener("htmx:beforeRequest", event => {
  const { target, elt } = event.detail;
  const lost = guarded().some(form => target !== form && target?.contains(form) && !form.contains(elt) && elt.form !== form && changed(form));
  if (lost && stays()) event.preventDefault();
});
document.addEventListener("htmx:beforeOnLoad", event => {
  if (event.detail.xhr.getResponseHeader("HX-Redirect")) sent = event.detail.elt.form ?? event.detail.elt.closest("form");
});
/* What was written in a form and comes back inside a part of it is served now, and still not saved. */
document.addEventListener("htmx:beforeSwap", event => {
  const { target, shouldSwap } = event.detail;
  for (const form of guarded()) if (shouldSwap && form.id && target && (form.contains(target) || target.contains(form)) && changed(form)) kept.add(form.id);
});
document.addEventListener("htmx:afterSwap", () => {
  for (const id of kept) { const form = document.getElementById(id); if (form?.matches("form[data-guard]")) form.dataset.guard = "changed"; }
  kept.clear();
});
/* A button that closes the panel with the form: asked before anybody else hears of the press. */
document.addEventListener("click", event => {
  const panel = document.getElementById(event.target.closest?.("[data-close]")?.dataset.close);
  if (panel && guarded().some(form => panel.contains(form) && changed(form)) && stays()) { event.preventDefault(); event.stopImmediatePropagation(); }
}, true);
