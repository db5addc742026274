// From keys to actions, and the help that lists them.

function listenToKeys(app) {
  const actions = new Map();
  for (const [, list] of ACTIONS) for (const [keys, , run] of list) for (const key of keys) actions.set(key, run);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || find("keys").open) return;
    const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
    if (typing) {
      if (event.key === "Escape") { find("search").value = ""; app.change({ search: "" }); event.target.blur(); }
      if (event.key === "Enter") { event.target.blur(); app.nextMatch(1); }
      return;
    }
    // A focused button keeps what a button needs.
    if (event.target instanceof HTMLButtonElement && (event.key === "Enter" || event.key === " ")) return;
    const run = actions.get(event.key);
    if (!run) return;
    event.preventDefault();
    run(app, event.key);
  });
}

function showHelp() {
  const dialog = find("keys");
  const groups = ACTIONS.map(([title, list]) => {
    const group = element("section");
    group.append(element("h3", { textContent: title }), ...list.map(([keys, text]) => {
      const row = element("div", { className: "help" }), names = element("span");
      names.append(...keys.map((key) => element("kbd", { textContent: KEY_NAMES[key] || key })));
      row.append(names, element("span", { textContent: text }));
      return row;
    }));
    return group;
  });
  const mouse = element("p", { textContent: "Mouse: drag along the charts for a range, click there for a window, double click for everything. Click a frame to zoom, Shift-click to choose it, wheel to scroll." });
  const close = element("button", { textContent: "close (Esc)", onclick: () => dialog.close() });
  dialog.replaceChildren(element("h2", { textContent: "Keys" }), ...groups, mouse, close);
  dialog.showModal();
}
