"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const table = document.getElementById("accounts"), tools = document.querySelector(".tools");
  document.documentElement.classList.add("js");
  const copy = async (button) => {
    const text = button.dataset.copy;
    try { await navigator.clipboard.writeText(text); } catch {
      const area = document.createElement("textarea");
      area.value = text; document.body.append(area); area.select(); document.execCommand("copy"); area.remove(); button.focus();
    }
    const before = button.textContent;
    button.textContent = "copied"; setTimeout(() => { button.textContent = before; }, 1200);
  };
  for (const button of all("button[data-copy]")) { button.hidden = false; button.addEventListener("click", () => copy(button)); }
  if (!table) return;
  const rows = [...table.tBodies], facets = all("select", tools), search = tools.querySelector("input"), count = tools.querySelector("output");
  const holds = (row, facet) => !facet.value || (" " + row.dataset[facet.name] + " ").includes(" " + facet.value + " ");
  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const fits = facets.every((facet) => holds(row, facet)) && words.every((word) => row.dataset.text.includes(word));
      row.hidden = !fits; shown += fits;
    }
    count.textContent = `${shown} of ${rows.length} shown`;
  };
  const remember = () => {
    const kept = new URLSearchParams();
    for (const field of [search, ...facets]) if (field.value) kept.set(field.name, field.value);
    history.replaceState(null, "", "#" + kept);
  };
  for (const field of [search, ...facets]) field.addEventListener("input", () => { apply(); remember(); });
  tools.querySelector("button").addEventListener("click", () => { for (const field of [search, ...facets]) field.value = ""; apply(); remember(); search.focus(); });
  const { compare } = new Intl.Collator("en", { numeric: true });
  const heads = all("th[data-sort]", table.tHead);
  for (const head of heads) {
    const button = document.createElement("button");
    button.type = "button"; button.append(...head.childNodes); head.append(button);
    button.addEventListener("click", () => sort(head));
  }
  const sort = (head) => {
    const turn = head.getAttribute("aria-sort") === "ascending" ? -1 : 1, name = head.dataset.sort;
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", turn > 0 ? "ascending" : "descending");
    rows.sort((one, two) => turn * compare(one.dataset[name], two.dataset[name]));
    table.append(...rows);
  };
  for (const row of rows) row.addEventListener("toggle", (event) => row.classList.toggle("open", event.target.open), true);
  const arrive = () => {
    const word = location.hash.slice(1), row = word && document.getElementById(word);
    if (row && rows.includes(row)) {
      row.hidden = false;
      const why = row.querySelector("details");
      if (why) why.open = true;
      row.scrollIntoView(); (row.querySelector("summary") || row.querySelector("a"))?.focus({ preventScroll: true });
    } else if (word.includes("=")) {
      const kept = new URLSearchParams(word);
      for (const field of [search, ...facets]) field.value = kept.get(field.name) || "";
      apply();
    }
  };
  // What is arrived at lies below the tools, which wrap to the window's width.
  const keepClear = () => {
    const above = getComputedStyle(tools).position === "sticky" ? tools.offsetHeight : 0;
    document.documentElement.style.scrollPaddingTop = `${above}px`;
  };
  new ResizeObserver(keepClear).observe(tools);
  addEventListener("hashchange", arrive);
  addEventListener("load", () => setTimeout(arrive));
  apply();
})();
