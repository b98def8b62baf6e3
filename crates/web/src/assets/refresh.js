// Keeps what is marked `data-refresh` fresh: the same page is fetched again and that part replaced. Without it the
// page is as useful, only older.
"use strict";
const SECONDS = 4;

async function refresh() {
  const parts = [...document.querySelectorAll("[data-refresh]")];
  // Whoever has a button under their finger keeps it, and what somebody opened stays open.
  const busy = (part) => part.contains(document.activeElement) || part.querySelector("details[open]");
  if (document.hidden || parts.some(busy)) return;
  const response = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const part of parts) {
    const next = fresh.getElementById(part.id);
    if (next && next.innerHTML !== part.innerHTML) part.replaceWith(next);
  }
}

if (document.querySelector("[data-refresh]")) {
  const again = () => setTimeout(() => refresh().catch(() => {}).finally(again), SECONDS * 1000);
  again();
}
