// The parts of the page around the flame: header, bars, chips, lists and the line of detail. Text from the
// target goes through `textContent` only.

const find = (id) => document.getElementById(id);

function writeHeader(report, state) {
  const names = report.targets.map((target) => [target.name, target.kind, target.pid ? `pid ${target.pid}` : target.address].filter(Boolean).join(" \u00b7 "));
  find("who").textContent = names.slice(0, 3).join("   ") + (names.length > 3 ? ` and ${names.length - 3} more` : "");
  find("who").title = [report.host && `on ${report.host}`, ...report.targets.map((t) => `${t.executable} ${t.ended ? `(${t.ended})` : ""}`)].filter(Boolean).join("\n");
  const sum = (of) => report.targets.reduce((total, target) => total + of(target), 0);
  const cpu = report.windows.filter((window) => window.kinds.some((kind) => report.kinds[kind].unit === "nanoseconds"));
  const covered = measured(cpu).covered;
  const facts = [
    [`${dayText(report, state.local)} ${clockText(report, 0, state.local, 0)}, ${length(report.length)}`, "when, and how long"],
    [`covered ${percent(report.length ? Math.min(covered / report.length, 1) : 0)}`, "how much of the time was sampled"],
    [`${trimmed(measured(cpu.length ? cpu : report.windows).taken)} samples`, "samples taken in the windows here"],
    [`lost ${trimmed(sum((t) => t.lost))}`, "samples known to be lost", sum((t) => t.lost)],
    [`cut ${trimmed(sum((t) => t.truncated))}`, "samples whose stack was cut", sum((t) => t.truncated)],
    [`gaps ${length(sum((t) => t.gaps))}`, "time between windows that no window covers", sum((t) => t.gaps)],
  ];
  if (report.remarks.length) facts.push([`${report.remarks.length} remark${report.remarks.length === 1 ? "" : "s"} (5)`, report.remarks.join("\n"), true]);
  find("facts").replaceChildren(...facts.map(([textContent, title, bad]) => element("span", { textContent, title, className: bad ? "bad" : "" })));
  find("clock").textContent = state.local ? "local" : "UTC";
}

// As many buttons as asked for. Those that are there are changed and not replaced, so the focus stays.
function buttons(box, list, dress) {
  while (box.children.length > list.length) box.lastChild.remove();
  list.forEach((one, at) => dress(box.children[at] || box.appendChild(element("button")), one));
}

// A set of which one is chosen.
function choices(box, list, chosen, role, choose) {
  buttons(box, list, (button, [id, text, title]) => {
    Object.assign(button, { textContent: text, title: title || "", onclick: () => choose(id) });
    button.setAttribute("role", role);
    button.setAttribute(role === "tab" ? "aria-selected" : "aria-checked", String(id === chosen));
  });
}

function switches(box, list) {
  buttons(box, list, (button, [text, on, title, run]) => {
    Object.assign(button, { textContent: text, title, onclick: run });
    button.setAttribute("aria-pressed", String(on));
  });
}

function rangeText(model) {
  const { report, state } = model, { folded } = model;
  if (model.stall) return `stall of ${length(model.stall.length)} at ${clockText(report, model.stall.start, state.local, 3)}`;
  const { start, end } = state.range || model.whole;
  const digits = end - start < 10e9 ? 2 : 0;
  const time = `${clockText(report, start, state.local, digits)} \u2013 ${clockText(report, end, state.local, digits)} (${length(end - start)})`;
  const windows = folded.windows.length;
  const part = folded.span && folded.covered < 0.99 * (end - start) ? `, ${length(folded.covered)} covered` : "";
  return `${time}${part}, ${windows} window${windows === 1 ? "" : "s"}, ${trimmed(folded.taken)} samples`;
}

function writeBar(model, change) {
  const { report, state } = model;
  choices(find("kinds"), report.kinds.map((kind, at) => [at, kind.title, `${kind.name}, ${kind.unit} (v)`]), state.stall >= 0 ? -1 : state.kind, "radio", (kind) => change({ kind, stall: -1 }));
  const total = model.flame.total[model.flame.total.length > 1 ? model.flame.total.length - 1 : 0][0];
  const range = element("span", { textContent: rangeText(model) });
  const sum = element("b", { id: "total", textContent: model.text(total), title: `exactly ${total} ${model.kind.unit}` });
  sum.dataset.exact = String(total);
  find("range").replaceChildren(sum, range);
  find("whole").hidden = !state.range && !model.stall;
  find("pin").textContent = state.base ? "set A again" : "set A";
  find("diff").setAttribute("aria-pressed", String(model.comparing));
  find("diff").disabled = !state.base || !!model.stall;
  find("measure").hidden = !model.comparing;
  find("measure").textContent = model.kind.level ? "growth" : state.measure;
  find("measure").disabled = model.kind.level;
}

function writeThreads(model, change) {
  const { report, state } = model, select = find("thread");
  if (select.options.length !== report.threads.length + 1) {
    const options = report.threads.map((_, at) => new Option(threadText(report, at), at));
    select.replaceChildren(new Option(`all threads (${report.threads.length})`, -1), ...options);
    select.onchange = () => change({ thread: Number(select.value) });
  }
  select.value = String(state.thread);
  select.hidden = report.threads.length < 2;
}

function writeMatched(model) {
  const { matches, error } = model.search, { flame } = model;
  const shown = find("matched");
  shown.classList.toggle("bad", !!error);
  if (!matches) { shown.textContent = error ? "not a regular expression" : ""; shown.title = error; return; }
  const functions = model.table.filter((row) => matches[row.frame]).length;
  const share = shareMatched(flame, matches);
  shown.textContent = `${functions} function${functions === 1 ? "" : "s"}, ${percent(share)}`;
  shown.title = "functions that match, and the share of the whole in and below them";
  shown.dataset.share = String(share);
}

// What is hidden or focused, each with the way back.
function writeChips(model, change) {
  const { report, state } = model, chips = [];
  const chip = (text, title, undo) => {
    const button = element("button", { className: "chip", title, onclick: undo });
    button.append(element("span", { textContent: text }), element("i", { textContent: "\u00d7" }));
    chips.push(button);
  };
  if (model.stall) chip(rangeText(model), "back to the range", () => change({ stall: -1 }));
  if (state.focus >= 0) chip(`only ${report.frames[state.focus].name}`, "show everything again", () => change({ focus: -1 }));
  const hidden = [...state.hidden];
  for (const frame of hidden.slice(0, 12)) {
    chip(`hidden: ${report.frames[frame].name}`, fullPlace(report.frames[frame]), () => change({ hidden: new Set(hidden.filter((one) => one !== frame)) }));
  }
  if (hidden.length > 1) chip(`show all ${hidden.length} hidden`, "X", () => change({ hidden: new Set() }));
  find("chips").hidden = !chips.length;
  find("chips").replaceChildren(...chips);
}

// The line of detail of a node of a flame.
function writeDetail(model, flame, node) {
  const box = find("detail"), { report } = model;
  const first = element("div", { className: "name" }), second = element("div");
  box.replaceChildren(first, second);
  if (!flame || node < 0) { first.textContent = "Point at a frame, or move with the arrow keys. ? shows every key."; writeColours(second, model); return; }
  const frame = node ? report.frames[flame.frame[node]] : null;
  first.append(element("b", { textContent: frame ? frame.name : "all" }), element("span", { textContent: frame ? fullPlace(frame) : "" }));
  if (frame) first.append(element("i", { textContent: `${packageOf(frame)} \u00b7 ${KINDS_OF_FRAME[frame.kind]}` }));
  second.textContent = model.comparing ? comparedDetail(model, flame, node) : ownDetail(model, flame, node);
}

// What the colours mean; the line of detail says the same in words.
function writeColours(box, { paint, comparing }) {
  const sample = (text, colour) => {
    const one = element("span", { className: "colour", textContent: text });
    one.style.background = colour;
    return one;
  };
  box.replaceChildren(...(comparing
    ? [["\u25bc less than A", 1, 0], ["~ the same, or no more than chance", 1, 1], ["\u25b2 more than A", 0, 1]].map(([text, a, b]) => sample(text, paint.changeColour(a, b)))
    : ["app", "npm package", "node", "native", "kernel", "gc", "other"].map((name) => sample(name, paint.packageColour(name, 2)))));
}

function ownDetail(model, flame, node) {
  const value = flame.total.length > 1 ? 1 : 0, all = flame.width[0] || 1;
  const parts = [`total ${model.text(flame.total[value][node])}, ${percent(flame.width[node] / all)} of all`];
  if (node > 0) parts.push(`${percent(flame.width[node] / (flame.width[flame.parent[node]] || 1))} of its parent`);
  parts.push(`self ${model.text(flame.self[value][node])}, ${percent(flame.self[0][node] / all)}`);
  return parts.join("   \u00b7   ");
}

function comparedDetail(model, flame, node) {
  const say = (of) => {
    const [, a, b] = of.map((column) => column[node]);
    const noise = isNoise(model.compared, a, b) ? ", no more than chance" : "";
    return `A ${model.text(a)}, B ${model.text(b)}: ${model.difference(b - a)} (${changeText(a, b) || "nothing"}${noise})`;
  };
  return `total ${say(flame.total)}   \u00b7   self ${say(flame.self)}`;
}

function writeStalls(model, change) {
  const { report, state } = model, box = find("stalls");
  const lines = report.stalls.map((stall, at) => {
    const row = element("button", { className: "line", onclick: () => change({ stall: at, view: "flame", zoom: [], selected: [] }) });
    const leaf = heaviestOf(report, stall);
    row.append(
      element("b", { textContent: length(stall.length) }),
      element("span", { textContent: clockText(report, stall.start, state.local, 3) }),
      element("span", { textContent: threadText(report, stall.thread) }),
      element("span", { className: "grow", textContent: leaf }),
    );
    return row;
  });
  const dropped = report.runsDropped ? `; ${trimmed(report.runsDropped)} runs of samples were not kept, so there may be more` : "";
  const head = lines.length
    ? `The longest stretches in which a thread did not come back to idle. Enter opens one as a flame${dropped}.`
    : `No stretch of 10 ms or more without idle is known${dropped}.`;
  box.replaceChildren(element("p", { textContent: head }), ...lines);
}

// The stack in which most of a stall was spent, leaf first.
function heaviestOf(report, stall) {
  const { tree, frames } = report;
  let best = 0;
  stall.values.forEach((value, at) => { if (value > stall.values[best]) best = at; });
  if (!stall.nodes.length) return "";
  const names = [];
  for (let node = stall.nodes[best]; node > 0 && names.length < 5; node = tree.parent[node]) names.push(frames[tree.frame[node]].name);
  return `${percent(stall.values[best] / stall.length)} in ${names.join(" < ")}`;
}

const LEVEL_SIGNS = { mark: "\u25b8 mark", info: "info", warning: "! warning", error: "!! error" };

function writeNotes(model, goTo) {
  const { report, state } = model;
  const lines = report.notes.map(([at, , level, text]) => {
    const row = element("button", { className: `line ${level}`, onclick: () => goTo(at) });
    row.append(element("span", { textContent: clockText(report, at, state.local, 1) }), element("b", { textContent: LEVEL_SIGNS[level] }), element("span", { className: "grow", textContent: text }));
    return row;
  });
  const plain = (text) => element("p", { textContent: text });
  const windows = report.windowNotes.map((note) => plain(`${note.text} (${note.windows} window${note.windows === 1 ? "" : "s"}, first ${clockText(report, note.first, state.local, 0)})`));
  if (report.windowNotesLeftOut) windows.push(plain(`and ${report.windowNotesLeftOut} more notes of windows, which were left out`));
  const about = report.targets.map((t) => plain(`${t.name || "target"}: ${[t.kind, t.pid && `pid ${t.pid}`, t.startedMs && `started ${new Date(t.startedMs).toISOString().slice(0, 19).replace("T", " ")} UTC`, t.executable, t.address, t.interval && `asked for a sample each ${length(t.interval)}`, t.ended && `ended: ${t.ended}`].filter(Boolean).join(", ")}`));
  find("notes").replaceChildren(...report.remarks.map(plain), ...lines, ...windows, ...about, plain(`Made by ${report.generator}${report.host ? ` on ${report.host}` : ""}. Nothing here asks the network.`));
}
