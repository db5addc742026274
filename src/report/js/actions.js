// Every action of the keyboard: its keys, what it does, and how. The help is made of this table.

// `app` is the App of main.js. Keys as `event.key` names them.
const ACTIONS = [
  ["Time", [
    [["[", "]"], "window before, window after", (app, key) => app.stepWindow(key === "[" ? -1 : 1)],
    [["{", "}"], "ten windows before, after", (app, key) => app.stepWindow(key === "{" ? -10 : 10)],
    [["<", ">"], "shrink, grow the range by a window", (app, key) => app.growRange(key === "<" ? -1 : 1)],
    [["0", "End"], "the whole recording", (app) => app.change({ range: null, stall: -1 })],
    [["+", "-"], "stretch the range over the charts, all of the time again", (app, key) => app.zoomTime(key === "+")],
    [["M"], "go to the next mark", (app) => app.nextMark()],
  ]],
  ["Compare", [
    [["m"], "keep this range as A, the base", (app) => app.pin()],
    [["d"], "compare with A, on and off", (app) => app.toggleDiff()],
    [["%"], "compare per second or by share", (app) => app.nextMeasure()],
  ]],
  ["Move", [
    [["ArrowUp", "k"], "to the caller, or a row up", (app) => app.move("up")],
    [["ArrowDown", "j"], "to the heaviest callee, or a row down", (app) => app.move("down")],
    [["ArrowLeft", "h"], "to the frame on the left", (app) => app.move("left")],
    [["ArrowRight", "l"], "to the frame on the right", (app) => app.move("right")],
    [["PageUp"], "a page up", (app) => app.page(-1)],
    [["PageDown"], "a page down", (app) => app.page(1)],
    [["Enter"], "zoom into the frame, open the row", (app) => app.enter()],
    [["Backspace"], "zoom out by one", (app) => app.zoomOut()],
    [["Escape"], "all the way out: search, zoom, stall, focus", (app) => app.escape()],
    [["g"], "to the hottest function", (app) => app.goHottest()],
  ]],
  ["Shape", [
    [["/"], "search by regular expression", (app) => app.startSearch()],
    [["n", "N"], "next, previous match", (app, key) => app.nextMatch(key === "n" ? 1 : -1)],
    [["#"], "search for this function", (app) => app.searchThis()],
    [["x"], "hide the function: what it calls goes to its caller", (app) => app.hide("function")],
    [["p"], "hide the package of the function", (app) => app.hide("package")],
    [["X"], "show everything hidden", (app) => app.change({ hidden: new Set() })],
    [["f"], "focus: only this function, all callers merged", (app) => app.focusThis()],
    [["i"], "invert: leaves first", (app) => app.toggle("inverted")],
    [["r"], "fold recursion", (app) => app.toggle("recursion")],
    [["o"], "order by value or by name", (app) => app.toggle("byValue")],
    [["z"], "count idle time", (app) => app.toggle("idle")],
    [["v"], "next sample type", (app) => app.nextKind()],
    [["t"], "next thread", (app) => app.nextThread()],
  ]],
  ["Page", [
    [["1", "2", "3", "4", "5"], "flame, functions, callers, stalls, notes", (app, key) => app.change({ view: VIEWS[key - 1][0] })],
    [["c"], "callers and callees of this function", (app) => app.change({ view: "callers" })],
    [["y"], "copy the stack", (app) => app.copyStack()],
    [["w"], "the selection as a file of folded stacks", (app) => app.download()],
    [["e"], "charts: all, few, none", (app) => app.nextCharts()],
    [["u"], "times in UTC or local", (app) => app.toggle("local")],
    [["T"], "light, dark, as the system has it", (app) => app.nextTheme()],
    [["?"], "this help", (app) => app.help()],
  ]],
];

const KEY_NAMES = { ArrowUp: "\u2191", ArrowDown: "\u2193", ArrowLeft: "\u2190", ArrowRight: "\u2192", Escape: "Esc", PageUp: "PgUp", PageDown: "PgDn" };
