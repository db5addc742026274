// Numbers, times and names as people read them.

const MINUS = "\u2212";

function scaled(value, steps) {
  const size = Math.abs(value);
  let [unit, one] = steps[0];
  for (const [name, by] of steps) if (size >= by) { unit = name; one = by; }
  const shown = value / one, digits = Math.abs(shown) >= 100 ? 0 : Math.abs(shown) >= 10 ? 1 : 2;
  const text = Math.abs(shown) < 1e6 ? shown.toFixed(one === steps[0][1] && Number.isInteger(shown) ? 0 : digits) : shown.toExponential(2);
  return { text: text.replace("-", MINUS), unit };
}

const TIME_STEPS = [["ns", 1], ["\u00b5s", 1e3], ["ms", 1e6], ["s", 1e9], ["min", 60e9], ["h", 3600e9]];
const BYTE_STEPS = [["B", 1], ["KiB", 1024], ["MiB", 1024 ** 2], ["GiB", 1024 ** 3], ["TiB", 1024 ** 4]];
const COUNT_STEPS = [["", 1], ["k", 1e3], ["M", 1e6], ["G", 1e9]];

function inUnit(value, unit) {
  if (value === 0) return "0";
  if (unit === "count" && Math.abs(value) < 1e5) return trimmed(value);
  const { text, unit: name } = scaled(value, unit === "nanoseconds" ? TIME_STEPS : unit === "bytes" ? BYTE_STEPS : COUNT_STEPS);
  return name ? `${text} ${name}` : text;
}

function trimmed(value) {
  const text = Number.isInteger(value) ? value.toLocaleString("en-US") : Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
  return text.replace("-", MINUS);
}

const length = (nanoseconds) => inUnit(nanoseconds, "nanoseconds");

function gaugeText(value, unit) {
  if (!Number.isFinite(value)) return "";
  if (unit === "ratio") return `${(value * 100).toFixed(Math.abs(value) < 0.0995 ? 1 : 0)} %`.replace("-", MINUS);
  if (unit === "seconds") return inUnit(value * 1e9, "nanoseconds");
  return inUnit(value, unit);
}

function percent(share) {
  if (!Number.isFinite(share)) return "";
  const value = share * 100, size = Math.abs(value);
  return `${value.toFixed(size >= 99.95 || size === 0 ? 0 : size >= 10 ? 1 : 2)} %`.replace("-", MINUS);
}

const sign = (text, value) => (value > 0 ? `+${text}` : text);

// A time of day from nanoseconds after the report's first moment.
function clockText(report, offset, local, digits) {
  const date = new Date(report.startMs + offset / 1e6);
  const two = (n) => String(n).padStart(2, "0");
  const [h, m, s, ms] = local
    ? [date.getHours(), date.getMinutes(), date.getSeconds(), date.getMilliseconds()]
    : [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds(), date.getUTCMilliseconds()];
  const rest = digits ? `.${String(ms).padStart(3, "0").slice(0, digits)}` : "";
  return `${two(h)}:${two(m)}:${two(s)}${rest}`;
}

function dayText(report, local) {
  const date = new Date(report.startMs);
  const parts = local ? [date.getFullYear(), date.getMonth(), date.getDate()] : [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  return `${parts[0]}-${String(parts[1] + 1).padStart(2, "0")}-${String(parts[2]).padStart(2, "0")}`;
}

// The part of a program a frame belongs to: an npm package, `node`, `app`, or the kind's own name.
function packageOf(frame) {
  const at = frame.file.lastIndexOf("node_modules/");
  const kind = KINDS_OF_FRAME[frame.kind];
  if (at >= 0) {
    const parts = frame.file.slice(at + 13).split("/");
    return parts[0].startsWith("@") && parts.length > 1 ? `${parts[0]}/${parts[1]}` : parts[0];
  }
  if ((kind === "js" || kind === "native") && frame.file && !frame.file.startsWith("node:")) return "app";
  return kind === "js" || kind === "builtin" ? "node" : kind;
}

// A path as a user knows it: below the last `node_modules`, else its last two parts.
function shortPath(file) {
  if (!file || file.startsWith("node:")) return file;
  const at = file.lastIndexOf("node_modules/");
  return at >= 0 ? file.slice(at + 13) : file.split("/").slice(-2).join("/");
}

function placeOf(frame, path = shortPath(frame.file)) {
  if (!path) return "";
  return frame.line ? `${path}:${frame.line}` : path;
}

function fullPlace(frame) {
  if (!frame.file) return "";
  return frame.file + (frame.line ? `:${frame.line}` : "") + (frame.line && frame.column ? `:${frame.column}` : "");
}

// The longest name of a frame that fits `room` characters; nothing when nothing readable does.
function fitLabel(frame, room) {
  const base = frame.file.slice(frame.file.lastIndexOf("/") + 1);
  if (base && frame.line) {
    const place = `${base}:${frame.line}`, full = `${frame.name} ${place}`;
    if (full.length <= room) return full;
    if (frame.name === "(anonymous)" && place.length <= room) return place;
  }
  if (frame.name.length <= room) return frame.name;
  const method = frame.name.split(/[.:/]/).pop() || frame.name;
  if (method.length <= room) return method;
  return room < 3 ? "" : `${method.slice(0, room - 1)}\u2026`;
}

function threadText(report, thread) {
  const { pid, tid, name } = report.threads[thread];
  const alike = report.threads.filter((other, at) => at !== thread && other.name === name);
  const shown = alike.length && tid !== "0" ? `${name} ${tid}` : name || "all threads";
  return alike.some((other) => other.pid !== pid) ? `${shown} of ${pid}` : shown;
}
