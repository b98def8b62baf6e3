// Looks through all words of the archive, in the browser alone: the words are in words/*.js, read once they are needed.
(() => {
  "use strict";
  const form = document.querySelector("form");
  const list = document.querySelector(".found");
  const said = document.querySelector("#said");
  const chunks = Number(document.querySelector("#search").dataset.chunks);
  const rows = [];
  let read = 0;
  // Called by each of words/*.js: [page, id, time, author, text].
  window.words = (more) => { rows.push(...more); };
  const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/ß/g, "ss");
  const all = () => new Promise((done) => {
    const next = () => {
      if (read === chunks) { done(); return; }
      const script = document.createElement("script");
      script.src = `words/${read}.js`;
      script.onload = script.onerror = () => { read += 1; said.textContent = `Reading ${read} of ${chunks}`; next(); };
      document.head.append(script);
    };
    next();
  });
  const parts = (query) => [...query.matchAll(/(-?)(?:"([^"]*)"|(\S+))/g)]
    .map((part) => ({ not: part[1] === "-", text: fold(part[2] ?? part[3]) }))
    .filter((part) => part.text);
  const marked = (text, wanted) => {
    const folded = fold(text);
    const at = wanted.map((part) => folded.indexOf(part.text)).filter((at) => at >= 0);
    const from = Math.max(0, Math.min(...(at.length ? at : [0])) - 60);
    const piece = document.createElement("p");
    // Folding may change lengths; a mark beside its word is worse than none.
    const same = folded.length === text.length;
    let rest = text.slice(from, from + 300);
    if (from > 0) { piece.append("… "); }
    while (same && rest) {
      const low = fold(rest);
      const hit = wanted.map((part) => [low.indexOf(part.text), part.text.length]).filter(([at]) => at >= 0).sort((a, b) => a[0] - b[0])[0];
      if (!hit || low.length !== rest.length) { break; }
      const mark = document.createElement("mark");
      mark.textContent = rest.slice(hit[0], hit[0] + hit[1]);
      piece.append(rest.slice(0, hit[0]), mark);
      rest = rest.slice(hit[0] + hit[1]);
    }
    piece.append(rest);
    if (from + 300 < text.length) { piece.append(" …"); }
    return piece;
  };
  const search = async () => {
    const query = new FormData(form).get("q").trim();
    list.replaceChildren();
    if (!query) { said.textContent = ""; return; }
    await all();
    const asked = parts(query);
    const wanted = asked.filter((part) => !part.not);
    const found = rows.filter((row) => {
      row[5] ??= fold(`${row[3]} ${row[4]}`);
      return asked.every((part) => row[5].includes(part.text) !== part.not);
    });
    found.sort((a, b) => (a[2] < b[2] ? 1 : -1));
    said.textContent = found.length > 200 ? `${found.length} found, the newest 200 shown` : `${found.length} found`;
    list.replaceChildren(...found.slice(0, 200).map(([page, id, time, author, text]) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = `${page}#s${id}`;
      link.textContent = `${time} · ${author}`;
      item.append(link, marked(text, wanted));
      return item;
    }));
  };
  form.addEventListener("submit", (event) => { event.preventDefault(); search(); });
})();
