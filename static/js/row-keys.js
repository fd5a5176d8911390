/* The next row and the row before: the caret goes to the row's link, so that Enter opens it. */
const links = () => [...document.querySelectorAll("main tbody > tr, main .goods > li, main .news > li, main .wire > li, main [data-rows] > *")]
  .map(row => row.querySelector("a[href]")).filter(link => link?.checkVisibility());
const move = by => {
  const all = links();
  const row = document.activeElement?.closest("tr, li, [data-rows] > *");
  const at = row ? all.findIndex(link => row.contains(link)) : -1;
  const next = at < 0 ? all.at(by > 0 ? 0 : -1) : all[at + by];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
};
document.addEventListener("deed", event => {
  if (event.detail === "next-row") move(1);
  if (event.detail === "previous-row") move(-1);
});
