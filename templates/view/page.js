"use strict";
// The page is complete without this script, which folds, finds, moves along the graph, and asks for news of a run.
(() => {
  const find = (id) => document.getElementById(id);
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
  const body = document.body.dataset;
  const unfolded = new Set();
  const seen = new Set(); // groups that were on the page before: what a person did to them stays

  // ---------------------------------------------------------------------------------------- the table

  const setOpen = (group, open) => {
    open ? unfolded.add(group.id) : unfolded.delete(group.id);
    showRows();
  };

  const makeButtons = () => {
    for (const group of all(".group")) {
      const title = group.querySelector(".toggle");
      const button = document.createElement("button");
      button.type = "button";
      button.id = "fold-" + group.id;
      button.className = "toggle";
      button.textContent = title.textContent;
      button.setAttribute("aria-controls", group.dataset.items);
      button.addEventListener("click", () => setOpen(group, !unfolded.has(group.id)));
      title.replaceWith(button);
      if (!seen.has(group.id) && !("large" in body)) unfolded.add(group.id);
      seen.add(group.id);
    }
  };

  const showRows = () => {
    const words = find("find").value.trim().toLowerCase();
    const state = find("only").value;
    const asked = Boolean(words || state);
    const fits = (row) =>
      (!state || row.dataset.state === state) &&
      (!words || row.querySelector(".name").textContent.toLowerCase().includes(words));
    let shown = 0;
    for (const row of all("tr[data-state]")) {
      row.hidden = asked && !fits(row);
      shown += row.hidden ? 0 : 1;
    }
    for (const group of all(".group")) {
      const items = find(group.dataset.items);
      const open = asked || unfolded.has(group.id);
      items.hidden = !open;
      group.hidden = asked && !items.querySelector("tr:not([hidden])");
      group.querySelector("button").setAttribute("aria-expanded", String(open));
    }
    find("found").textContent = asked ? `${shown} ${shown === 1 ? "stage" : "stages"} found` : "";
    const groups = all(".group");
    find("fold").hidden = !groups.length;
    find("fold").textContent = groups.every((group) => unfolded.has(group.id)) ? "Fold all" : "Unfold all";
  };

  const goTo = (id) => {
    const target = find(id);
    if (!target) return;
    const items = target.closest(".items");
    if (items) unfolded.add(items.id.slice("of-".length));
    if (target.matches(".group")) unfolded.add(id);
    if (target.hidden || (items && items.hidden)) find("find").value = find("only").value = "";
    showRows();
    const place = target.matches(".group") ? target.querySelector("button") : target;
    place.scrollIntoView({ block: "center" });
    place.focus({ preventScroll: true });
  };

  // ---------------------------------------------------------------------------------------- the graph

  const middle = (node) => {
    const place = node.getBoundingClientRect();
    return [place.x + place.width / 2, place.y + place.height / 2];
  };

  const neighbour = (node, key) => {
    const [x, y] = middle(node);
    const along = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[key];
    let best = null, least = Infinity;
    for (const other of all(".node", node.ownerSVGElement)) {
      const [dx, dy] = [middle(other)[0] - x, middle(other)[1] - y];
      const ahead = dx * along[0] + dy * along[1];
      const aside = Math.abs(dx * along[1]) + Math.abs(dy * along[0]);
      if (ahead > 1 && ahead + 3 * aside < least) [best, least] = [other, ahead + 3 * aside];
    }
    return best;
  };

  // One stop of the Tab key a graph; from there on the arrow keys.
  const oneStop = (graph, node) => all(".node", graph).forEach((each) => each.setAttribute("tabindex", each === node ? 0 : -1));

  const light = (node, on) => {
    const key = node.dataset.key;
    for (const edge of all(".edges path", node.ownerSVGElement))
      if (edge.dataset.from === key || edge.dataset.to === key) edge.classList.toggle("near", on);
  };

  document.addEventListener("keydown", (event) => {
    const node = event.target.closest && event.target.closest(".node");
    if (!node || !event.key.startsWith("Arrow")) return;
    event.preventDefault();
    const next = neighbour(node, event.key);
    if (next) next.focus();
  });
  for (const [kind, on] of [["focusin", true], ["focusout", false], ["mouseover", true], ["mouseout", false]])
    document.addEventListener(kind, (event) => {
      const node = event.target.closest && event.target.closest(".node");
      if (!node) return;
      light(node, on);
      if (kind === "focusin") oneStop(node.ownerSVGElement, node);
    });
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a[href^='#'], a.node");
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    goTo(link.getAttribute("href").slice(1));
  });

  // ---------------------------------------------------------------------------------------- what is new

  const settle = () => {
    makeButtons();
    showRows();
    for (const graph of all(".graph")) oneStop(graph, graph.querySelector(".node"));
    const now = performance.now() / 1000;
    for (const clock of all("[data-since]")) clock.dataset.began = now - Number(clock.dataset.since);
    for (const log of all("details.log")) log.addEventListener("toggle", () => log.open && fill(log));
  };

  const duration = (seconds) => {
    if (seconds < 9.95) return seconds.toFixed(1) + "s";
    const whole = Math.round(seconds);
    const two = (number) => String(number).padStart(2, "0");
    if (whole < 60) return whole + "s";
    if (whole < 3600) return `${Math.floor(whole / 60)}m ${two(whole % 60)}s`;
    return `${Math.floor(whole / 3600)}h ${two(Math.floor((whole % 3600) / 60))}m`;
  };

  const tick = () => {
    const now = performance.now() / 1000;
    for (const clock of all("[data-began]")) clock.textContent = duration(now - Number(clock.dataset.began));
  };

  const fill = async (log) => {
    const pre = log.querySelector("pre");
    const answer = await fetch(log.dataset.log);
    const text = answer.ok ? await answer.text() : "There is no log yet.";
    if (text === pre.textContent) return;
    const atEnd = pre.scrollTop + pre.clientHeight >= pre.scrollHeight - 4;
    pre.textContent = text;
    if (atEnd) pre.scrollTop = pre.scrollHeight;
  };

  const last = {};
  const take = (news) => {
    document.title = news.title;
    const focused = document.activeElement && document.activeElement.id;
    const open = new Set(all("details[open]").map((details) => details.id));
    const texts = new Map(all("details.log[open]").map((log) => [log.id, log.querySelector("pre").textContent]));
    const places = all(".scroll").map((scroll) => [scroll.scrollLeft, scroll.scrollTop]);
    for (const [name, text] of Object.entries(news.parts)) {
      if (last[name] === text) continue;
      last[name] = text;
      document.querySelector(`[data-part="${name}"]`).innerHTML = text;
    }
    for (const details of all("details")) if (open.has(details.id)) details.open = true;
    for (const [id, text] of texts) if (find(id)) find(id).querySelector("pre").textContent = text;
    settle();
    all(".scroll").forEach((scroll, index) => {
      if (places[index]) [scroll.scrollLeft, scroll.scrollTop] = places[index];
    });
    if (focused && find(focused) && find(focused) !== document.activeElement) find(focused).focus({ preventScroll: true });
    if (find("says").textContent !== news.says) find("says").textContent = news.says;
  };

  let tag = body.tag;
  const ask = async () => {
    let pause = 1000;
    try {
      if (document.visibilityState === "visible") {
        const answer = await fetch(body.live, { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
        if (answer.status === 200) {
          tag = answer.headers.get("ETag") || "";
          take(await answer.json());
        } else if (answer.status !== 304) throw new Error(answer.statusText);
        for (const log of all("details.log[open]")) await fill(log);
        find("link").textContent = "Live: it follows the run.";
        find("link").className = "";
      }
    } catch {
      pause = 3000;
      find("link").textContent = "The connection is lost; this is the last picture.";
      find("link").className = "lost";
    }
    setTimeout(ask, pause);
  };

  find("controls").hidden = false;
  find("find").addEventListener("input", showRows);
  find("only").addEventListener("change", showRows);
  find("fold").addEventListener("click", () => {
    const groups = all(".group");
    const open = !groups.every((group) => unfolded.has(group.id));
    for (const group of groups) open ? unfolded.add(group.id) : unfolded.delete(group.id);
    showRows();
  });
  settle();
  if (location.hash) goTo(location.hash.slice(1));
  if (body.live) {
    setInterval(tick, 1000);
    ask();
  }
})();
