// Rows of what is marked `data-keys` by keyboard: j and k go down and up, x ticks, Enter opens. Without this file Tab and
// Space do the same, a little slower.
"use strict";
document.addEventListener("keydown", (event) => {
  const list = document.querySelector("[data-keys]");
  const typing = event.target.closest("input:not([type=checkbox]), select, textarea, [contenteditable]");
  if (!list || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const rows = [...list.querySelectorAll("tbody tr")];
  const here = rows.indexOf(event.target.closest("tr"));
  if (event.key === "j" || event.key === "k") {
    const next = here < 0 ? 0 : here + (event.key === "j" ? 1 : -1);
    const link = rows[next] && rows[next].querySelector("a[href]");
    if (!link) return;
    link.focus();
    rows[next].scrollIntoView({ block: "nearest" });
  } else if (event.key === "x" && here >= 0) {
    const tick = rows[here].querySelector("input[type=checkbox]");
    if (!tick) return;
    tick.checked = !tick.checked;
  } else return;
  event.preventDefault();
});
