/* A form that was sent is not sent again by a second click while the answer is under way. Forms that htmx sends look after
   themselves. Coming back to the page makes it usable again. */
addEventListener("submit", event => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || form.closest("[hx-post]")) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  form.querySelectorAll("button:not([type=button])").forEach(button => button.setAttribute("aria-disabled", "true"));
});
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(form => {
  delete form.dataset.sent;
  form.querySelectorAll("[aria-disabled]").forEach(button => button.removeAttribute("aria-disabled"));
}));
