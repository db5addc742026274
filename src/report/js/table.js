// The table of functions: sortable, and only the rows in view are in the page.

const ROW_OF_TABLE = 21;

class FunctionTable {
  constructor(pane, on) {
    this.pane = pane; this.on = on;
    this.sort = { column: "self", down: true };
    this.head = element("div", { className: "tr head" });
    this.body = element("div", { className: "tbody" });
    this.head.setAttribute("role", "row");
    pane.setAttribute("tabindex", "0");
    pane.append(this.head, this.body);
    pane.addEventListener("scroll", () => this.paint());
  }

  show(model) {
    this.model = model;
    const { comparing } = model;
    this.columns = comparing
      ? [["a", "A self"], ["b", "B self"], ["change", "change"], ["rate", ""], ["totalA", "A total"], ["totalB", "B total"], ["name", "function"], ["place", "where"]]
      : [["self", "self"], ["share", ""], ["total", "total"], ["whole", ""], ["name", "function"], ["place", "where"], ["package", "package"]];
    if (!this.columns.some(([id]) => id === this.sort.column)) this.sort = { column: comparing ? "change" : "self", down: true };
    this.rows = this.sorted(this.wanted());
    this.pane.classList.toggle("diffs", comparing);
    this.writeHead();
    this.body.style.height = `${this.rows.length * ROW_OF_TABLE}px`;
    this.paint();
  }

  wanted() {
    const { matches } = this.model.search;
    return matches ? this.model.table.filter((row) => matches[row.frame]) : this.model.table;
  }

  value(row, column) {
    const frame = this.model.report.frames[row.frame];
    const own = row.self.length > 1 ? 1 : 0;
    switch (column) {
      case "self": case "share": return row.self[own];
      case "total": case "whole": return row.total[own];
      case "a": return row.self[1];
      case "b": return row.self[2];
      case "change": return Math.abs(row.self[2] - row.self[1]);
      case "rate": return row.self[1] ? row.self[2] / row.self[1] : Infinity;
      case "totalA": return row.total[1];
      case "totalB": return row.total[2];
      case "name": return frame.name;
      case "package": return packageOf(frame);
      default: return fullPlace(frame);
    }
  }

  sorted(rows) {
    const { column, down } = this.sort;
    const of = new Map(rows.map((row) => [row, this.value(row, column)]));
    const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b) : b - a);
    return [...rows].sort((a, b) => (down ? 1 : -1) * compare(of.get(a), of.get(b)) || b.total[0] - a.total[0] || a.frame - b.frame);
  }

  writeHead() {
    buttons(this.head, this.columns, (button, [id, title]) => {
      const chosen = id === this.sort.column;
      button.className = `td ${id}`;
      button.textContent = title + (chosen ? (this.sort.down ? " \u25be" : " \u25b4") : "");
      button.setAttribute("role", "columnheader");
      button.setAttribute("aria-sort", chosen ? (this.sort.down ? "descending" : "ascending") : "none");
      button.tabIndex = title ? 0 : -1;
      button.onclick = () => { this.sort = { column: id, down: chosen ? !this.sort.down : true }; this.show(this.model); };
    });
  }

  paint() {
    if (!this.rows) return;
    const first = Math.max(Math.floor(this.pane.scrollTop / ROW_OF_TABLE) - 5, 0);
    const last = Math.min(first + Math.ceil(this.pane.clientHeight / ROW_OF_TABLE) + 10, this.rows.length);
    const rows = [];
    for (let at = first; at < last; at++) rows.push(this.row(this.rows[at], at));
    this.body.replaceChildren(...rows);
  }

  row(row, at) {
    const line = element("div", { className: "tr" });
    line.style.top = `${at * ROW_OF_TABLE}px`;
    line.setAttribute("role", "row");
    line.classList.toggle("chosen", row.frame === this.on.selected());
    for (const [id] of this.columns) {
      const cell = element("span", { className: `td ${id}`, textContent: this.text(row, id) });
      cell.setAttribute("role", "cell");
      if (id === "name" || id === "place") cell.title = fullPlace(this.model.report.frames[row.frame]);
      if (id === "share" || id === "whole") this.bar(cell, row, id);
      line.append(cell);
    }
    line.onclick = () => this.on.select(row.frame);
    line.ondblclick = () => this.on.open(row.frame);
    return line;
  }

  bar(cell, row, id) {
    const all = this.model.flame.width[0] || 1;
    cell.style.setProperty("--part", `${((id === "share" ? row.self[0] : row.total[0]) / all) * 100}%`);
  }

  text(row, id) {
    const { model } = this, value = this.value(row, id);
    if (id === "name" || id === "package") return value;
    if (id === "place") return placeOf(model.report.frames[row.frame]);
    if (id === "share" || id === "whole") return value ? percent(value / (model.flame.width[0] || 1)) : "";
    if (id === "rate") {
      const [, a, b] = row.self;
      return isNoise(model.compared, a, b) ? `${changeText(a, b)} ~` : changeText(a, b);
    }
    if (id === "change") return model.difference(row.self[2] - row.self[1]);
    return value ? model.text(value) : "";
  }

  // Moves the choice by rows, for the keyboard.
  step(by) {
    const at = this.rows.findIndex((row) => row.frame === this.on.selected());
    const next = Math.min(Math.max(at + by, 0), this.rows.length - 1);
    if (next < 0) return;
    const y = next * ROW_OF_TABLE, { pane } = this;
    if (y < pane.scrollTop) pane.scrollTop = y;
    else if (y + 2 * ROW_OF_TABLE > pane.scrollTop + pane.clientHeight) pane.scrollTop = y + 3 * ROW_OF_TABLE - pane.clientHeight;
    this.on.select(this.rows[next].frame);
  }
}
