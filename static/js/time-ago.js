/* <time-ago><time datetime="…">12 seconds ago</time></time-ago>: keeps the words current, in the page's language.
   With data-passed that word stands there once the moment has come. */
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const words = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { numeric: "always" });
const all = new Set();

class TimeAgo extends HTMLElement {
  connectedCallback() { all.add(this); this.write(); }
  disconnectedCallback() { all.delete(this); }
  write() {
    const time = this.firstElementChild, seconds = (Date.parse(time?.dateTime) - Date.now()) / 1000;
    if (Number.isNaN(seconds)) return;
    const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS.at(-1);
    const text = this.dataset.passed && seconds <= 0 ? this.dataset.passed : words.format(-Math.max(Math.floor(Math.abs(seconds) / size), unit === "second" ? 1 : 0) * -Math.sign(seconds || -1), unit);
    if (time.textContent !== text) time.textContent = text;
  }
}
customElements.define("time-ago", TimeAgo);
setInterval(() => { if (!document.hidden) all.forEach(element => element.write()); }, 1000);
