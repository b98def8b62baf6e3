// Keeps what is marked `data-refresh` fresh, and shows times in the reader's zone. The same page is fetched again and
// only what differs is changed, so that focus, scrolling and what somebody opened stay. Without this file the pages
// are as useful, only older and in UTC.
"use strict";
const SECONDS = 4;
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

function local(part) {
  for (const time of part.querySelectorAll("time[datetime]")) {
    const at = new Date(time.getAttribute("datetime"));
    if (Number.isNaN(at.getTime())) continue;
    time.title = exact.format(at);
    if (time.hasAttribute("data-clock")) time.textContent = clock.format(at);
  }
}

const key = (node) => (node.nodeType === 1 ? node.id || node.getAttribute("data-key") : null) || null;

function attributes(old, next) {
  for (const { name } of [...old.attributes]) {
    if (name !== "open" && !next.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of [...next.attributes]) {
    if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}

// Makes `old` look like `next` with as few changes as it takes.
function become(old, next) {
  if (old.nodeType !== next.nodeType || old.nodeName !== next.nodeName || key(old) !== key(next)) {
    old.replaceWith(next.cloneNode(true));
    return;
  }
  if (old.nodeType !== 1) {
    if (old.data !== next.data) old.data = next.data;
    return;
  }
  // What somebody is typing or choosing is theirs.
  if (old === document.activeElement && /^(INPUT|SELECT|TEXTAREA)$/.test(old.nodeName)) return;
  attributes(old, next);
  const kept = new Map([...old.children].filter(key).map((child) => [key(child), child]));
  [...next.childNodes].forEach((wanted, place) => {
    const keyed = key(wanted) && kept.get(key(wanted));
    const here = old.childNodes[place];
    if (keyed && keyed !== here) old.insertBefore(keyed, here || null);
    const child = old.childNodes[place];
    if (child) become(child, wanted);
    else old.append(wanted.cloneNode(true));
  });
  while (old.childNodes.length > next.childNodes.length) old.lastChild.remove();
}

async function refresh() {
  if (document.hidden) return;
  const response = await fetch(location.href, { headers: { accept: "text/html" } });
  // Signed out meanwhile: the sign-in page says so better than a page that grows old.
  if (response.redirected || response.status === 401 || response.status === 403) location.reload();
  if (!response.ok) throw new Error("no answer");
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  local(fresh);
  for (const part of document.querySelectorAll("[data-refresh]")) {
    const next = fresh.getElementById(part.id);
    if (next) become(part, next);
  }
}

function stale(is) {
  const word = document.getElementById("stale");
  if (word) word.hidden = !is;
}

local(document);
const here = document.querySelector(".nav [aria-current]");
if (here && here.scrollIntoView) here.scrollIntoView({ block: "nearest", inline: "center" });
const zone = document.getElementById("zone");
if (zone) zone.textContent = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (document.querySelector("[data-refresh]")) {
  const again = () => setTimeout(() => refresh().then(() => stale(false), () => stale(true)).finally(again), SECONDS * 1000);
  again();
}
