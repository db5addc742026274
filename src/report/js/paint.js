// Colours: taken from the style sheet, so that canvas and page agree, and changed with the theme.

const THEMES = ["auto", "light", "dark"];

class Paint {
  constructor(report) {
    this.packages = report.frames.map(packageOf);
    this.read();
  }

  // Reads the theme in force from the style sheet.
  read() {
    const style = getComputedStyle(document.documentElement);
    const get = (name) => style.getPropertyValue(`--${name}`).trim();
    this.dark = get("scheme") === "dark";
    for (const name of ["text", "muted", "faint", "line", "panel", "accent", "base", "grid", "back"]) this[name] = get(name);
    this.series = [0, 1, 2, 3, 4].map((at) => get(`series${at}`));
    this.mono = get("mono");
    this.frames = this.packages.map((name, id) => this.packageColour(name, id));
    this.changes = new Map();
  }

  // Warm for the program itself, cool for packages, quiet for the runtime, red for collecting garbage.
  packageColour(name, id) {
    const shade = (id * 7) % 5 - 2;
    const of = (hue, colourful, light, dark) => this.dark
      ? `hsl(${hue} ${Math.round(colourful * 0.62)}% ${dark + shade}%)`
      : `hsl(${hue} ${colourful}% ${light + shade}%)`;
    switch (name) {
      case "app": return of(30, 88, 76, 36);
      case "node": return of(95, 26, 80, 29);
      case "native": return of(215, 22, 80, 31);
      case "kernel": return of(275, 16, 80, 31);
      case "gc": return of(352, 68, 82, 37);
      case "program": case "idle": case "truncated": case "other": return of(220, 7, 85, 27);
      default: return of([200, 255, 172, 228, 300, 186][hashOf(name) % 6], 46, 83, 32);
    }
  }

  // From blue (less) over grey (the same) to red (more).
  changeColour(a, b) {
    const most = Math.max(a, b);
    const step = most > 0 ? Math.round(((b - a) / most) * 10) : 0;
    let colour = this.changes.get(step);
    if (!colour) {
      const size = Math.abs(step) / 10, hue = step > 0 ? 14 : 212;
      colour = step === 0
        ? (this.dark ? "hsl(220 6% 29%)" : "hsl(220 8% 87%)")
        : this.dark ? `hsl(${hue} ${18 + 45 * size}% ${30 + 9 * size}%)` : `hsl(${hue} ${30 + 55 * size}% ${86 - 14 * size}%)`;
      this.changes.set(step, colour);
    }
    return colour;
  }
}

function hashOf(text) {
  let hash = 2166136261;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619);
  return hash >>> 0;
}

// A canvas as large as its place on the page, in device pixels. Gives its context and size.
function fitCanvas(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w; canvas.height = h;
    canvas.style.width = `${width}px`; canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}
