/* On a narrow screen the tab of this page may lie beyond the edge of the row: brings it into sight, and moves nothing else. */
const tab = document.querySelector(".tabs [aria-current]");
if (tab) tab.parentElement.scrollLeft = tab.offsetLeft - (tab.parentElement.clientWidth - tab.offsetWidth) / 2;
