/* <time-chart>: what stands under the pointer is told in the card's [data-said]. A bar that is pressed leads to the events
   of its time; dragging over several shows their time alone. The same figures are in the table, for the keyboard. */
const MINUTE = 60_000, NEAR = 6, SHORTEST = 15;         // delivery/pages/stretch.py has the same shortest stretch
const stamp = minute => new Date(minute * MINUTE).toISOString().slice(0, 16);

class TimeChart extends HTMLElement {
  connectedCallback() {
    this.said = JSON.parse(this.dataset.said);
    this.mark = document.createElement("i");
    this.append(this.mark);
    this.addEventListener("pointermove", event => this.point(event));
    this.addEventListener("pointerleave", () => this.rest());
    this.addEventListener("pointerdown", event => { if (event.button === 0 && event.pointerType !== "touch") { this.from = event.clientX; this.setPointerCapture(event.pointerId); } });
    this.addEventListener("pointercancel", () => { this.from = undefined; this.rest(); });
    this.addEventListener("pointerup", event => this.release(event));
    this.addEventListener("click", event => { if (event.pointerType === "touch") this.point(event); });
  }
  /* The number of the bar at that place of the window, and how wide a bar is, in per cent of the chart. */
  at(x) {
    const box = this.getBoundingClientRect(), left = Number(this.dataset.left), width = (Number(this.dataset.right) - left) / this.said.length;
    const number = Math.floor((100 * (x - box.left) / box.width - left) / width);
    return { number: Math.max(0, Math.min(this.said.length - 1, number)), left, width };
  }
  point(event) {
    const { number, left, width } = this.at(event.clientX), first = this.from === undefined ? number : this.at(this.from).number;
    const from = Math.min(first, number), bars = Math.abs(number - first) + 1;
    this.mark.style.setProperty("inset-inline-start", `${left + from * width}%`);
    this.mark.style.setProperty("inline-size", `${bars * width}%`);
    this.classList.add("pointed");
    const line = this.parentElement.querySelector("[data-said]:not(time-chart)");
    if (line) { line.dataset.rest ??= line.textContent; line.textContent = this.said[number]; }
  }
  rest() {
    this.classList.remove("pointed");
    const line = this.parentElement?.querySelector("[data-said]:not(time-chart)");
    if (line?.dataset.rest !== undefined) line.textContent = line.dataset.rest;
  }
  release(event) {
    if (this.from === undefined) return;
    const moved = Math.abs(event.clientX - this.from) > NEAR, ends = [this.at(this.from).number, this.at(event.clientX).number].sort((a, b) => a - b);
    this.from = undefined;
    const first = Number(this.dataset.first), step = Number(this.dataset.step), query = new URLSearchParams(location.search);
    const begins = first + ends[0] * step, until = first + (ends[1] + 1) * step, from = stamp(begins), to = stamp(until);
    if (moved) {
      query.delete("range"); query.set("from", stamp(Math.min(begins, until - SHORTEST))); query.set("to", to);
      location.assign(`${location.pathname}?${query}`);
    } else {
      const found = new URLSearchParams({ since: from, until: to });
      if (query.get("target")) found.set("target", query.get("target"));
      location.assign(`${this.dataset.find}?${found}`);
    }
  }
}
customElements.define("time-chart", TimeChart);
