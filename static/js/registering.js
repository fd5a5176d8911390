/* The register form: what the server found wrong goes into the text areas, line by line, the ticked types are counted, and
   the card on the shelf shows what has been written so far. */
const hand = () => {
  for (const { dataset } of document.querySelectorAll("[data-area][data-problems]")) {
    const area = document.getElementById(dataset.area)?.closest("code-area");
    if (area) area.problems = JSON.parse(dataset.problems);
  }
};
const boxes = () => [...document.querySelectorAll('input[name="take"]')];
const count = () => {
  const button = document.querySelector("[data-ticked]");
  if (!button) return;
  const rest = document.querySelector('input[name="take_rest"]:checked');
  const ticked = boxes().filter(box => box.checked).length + Number(rest?.dataset.count ?? 0);
  button.textContent = ticked === 1 ? button.dataset.one : button.dataset.many.replace("%s", ticked);
  const all = document.querySelector("[data-all]");
  if (all) { all.checked = boxes().every(box => box.checked); all.indeterminate = !all.checked && boxes().some(box => box.checked); }
};
const mirror = () => {
  for (const shown of document.querySelectorAll("[data-mirrors]")) {
    const written = document.getElementById(shown.dataset.mirrors)?.value.trim() ?? "";
    shown.textContent = written || shown.dataset.empty;
    shown.classList.toggle("faint", !written);
  }
  const shelf = document.querySelector("[data-shelf]");
  const chosen = document.getElementById("id_domain")?.value;
  const domain = chosen && shelf?.querySelector(`[data-domain="${CSS.escape(chosen)}"]`);
  if (shelf) shelf.className = shelf.className.replace(/hue-\d+/, `hue-${domain ? domain.dataset.hue : 6}`);
};
customElements.whenDefined("code-area").then(hand);
document.addEventListener("htmx:afterSettle", () => { hand(); count(); mirror(); });
document.addEventListener("input", mirror);
document.addEventListener("change", event => {
  if (event.target.matches("[data-all]")) for (const box of boxes()) box.checked = event.target.checked;
  if (event.target.matches('[data-all], [name="take"], [name="take_rest"]')) count();
});
count();
mirror();
