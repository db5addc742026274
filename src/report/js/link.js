// What is looked at, in the address: a link to a report in a known place opens it at the same spot.

// Only names and numbers that this report has are taken from an address.
function readLink(report) {
  const link = new URLSearchParams(location.hash.slice(1) || report.view), patch = {};
  const range = (name) => {
    const [start, end] = (link.get(name) || "").split("-").map((text) => Math.round(Number(text) * 1e9));
    return Number.isFinite(start) && Number.isFinite(end) && end > start ? { start, end } : null;
  };
  patch.range = range("t");
  patch.base = range("a");
  patch.diff = link.has("diff") && !!patch.base;
  const kind = report.kinds.findIndex((one) => one.name === link.get("kind"));
  if (kind >= 0) patch.kind = kind;
  if (VIEWS.some(([id]) => id === link.get("view"))) patch.view = link.get("view");
  patch.inverted = link.has("invert");
  patch.search = (link.get("search") || "").slice(0, 500);
  return patch;
}

function writeLink(report, state) {
  const link = new URLSearchParams(), seconds = (at) => (at / 1e9).toFixed(9).replace(/0+$/, "").replace(/\.$/, "");
  if (state.range) link.set("t", `${seconds(state.range.start)}-${seconds(state.range.end)}`);
  if (state.base) link.set("a", `${seconds(state.base.start)}-${seconds(state.base.end)}`);
  if (state.diff && state.base) link.set("diff", "");
  if (report.kinds[state.kind] && state.kind !== mainKind(report)) link.set("kind", report.kinds[state.kind].name);
  if (state.view !== "flame") link.set("view", state.view);
  if (state.inverted) link.set("invert", "");
  if (state.search) link.set("search", state.search);
  const hash = link.toString();
  if (hash !== location.hash.slice(1)) history.replaceState(null, "", hash ? `#${hash}` : location.pathname);
}
