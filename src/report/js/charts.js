// Charts of gauges: which belong together, and how one is drawn. A gap is drawn as a gap, and a spike
// narrower than a pixel is seen.

const DASHES = [[], [5, 2], [2, 2], [8, 2, 2, 2], [1, 3]];

// Gauges of one source, group and unit share a chart; what is only counted has one of its own.
function groupCharts(report) {
  const charts = new Map();
  for (const gauge of report.gauges) {
    if (!gauge.at.length) continue;
    const alone = gauge.unit === "count" ? gauge.label : "";
    const key = [gauge.source, gauge.group, gauge.unit, alone].join("\n");
    if (!charts.has(key)) charts.set(key, { source: gauge.source, group: gauge.group, unit: gauge.unit, series: [] });
    charts.get(key).series.push(gauge);
  }
  for (const chart of charts.values()) {
    chart.top = niceTop(chart.unit, chart.series.reduce((most, s) => s.value.reduce((m, v) => Math.max(m, v), most), 0));
    chart.bottom = chart.series.reduce((least, s) => s.value.reduce((m, v) => Math.min(m, v), least), 0);
    chart.series.forEach((series) => { series.breaks = breaksOf(series.at); });
  }
  return [...charts.values()];
}

// The end of a scale: a round number that the values do not pass.
function niceTop(unit, most) {
  if (!(most > 0)) return 1;
  const base = unit === "bytes" ? 1024 ** Math.floor(Math.log(most) / Math.log(1024)) : 10 ** Math.floor(Math.log10(most));
  for (const step of [1, 1.5, 2, 3, 4, 5, 8, 10, 20, 40, 60, 100, 200, 400, 600, 1000]) if (step * base >= most) return step * base;
  return most;
}

// Where a series pauses: a step far longer than those around it.
function breaksOf(at) {
  const breaks = new Uint8Array(at.length);
  for (let i = 1; i < at.length; i++) {
    const around = [];
    for (let j = Math.max(1, i - 4); j < Math.min(at.length, i + 5); j++) if (j !== i) around.push(at[j] - at[j - 1]);
    if (!around.length) continue;
    around.sort((a, b) => a - b);
    const usual = around[around.length >> 1];
    if (at[i] - at[i - 1] > Math.max(3.5 * usual, 1e6)) breaks[i] = 1;
  }
  return breaks;
}

// Least, greatest and last value within a range, and the mean.
function extremes(series, range) {
  let min = Infinity, max = -Infinity, last = NaN, sum = 0, count = 0;
  for (let i = 0; i < series.at.length; i++) {
    if (series.at[i] < range.start || series.at[i] > range.end) continue;
    const value = series.value[i];
    min = Math.min(min, value); max = Math.max(max, value); last = value; sum += value; count++;
  }
  return { min, max, last, mean: sum / count };
}

// The value nearest to a moment; none in a gap.
function valueAt(series, moment) {
  let low = 0, high = series.at.length;
  while (low < high) { const mid = (low + high) >> 1; if (series.at[mid] < moment) low = mid + 1; else high = mid; }
  if (low < series.at.length && series.breaks[low] && series.at[low] !== moment) return NaN;
  if (low === series.at.length) return NaN;
  return low > 0 && moment - series.at[low - 1] < series.at[low] - moment ? series.value[low - 1] : series.value[low];
}

function drawChart(canvas, chart, whole, width, height, paint) {
  const context = fitCanvas(canvas, width, height);
  const y = (value) => height - 2 - ((value - chart.bottom) / (chart.top - chart.bottom || 1)) * (height - 5);
  const x = (at) => ((at - whole.start) / (whole.end - whole.start || 1)) * width;
  context.strokeStyle = paint.grid;
  context.beginPath();
  context.moveTo(0, Math.round(y(0)) + 0.5); context.lineTo(width, Math.round(y(0)) + 0.5);
  context.stroke();
  chart.series.forEach((series, at) => drawSeries(context, series, x, y, paint.series[at % 5], DASHES[at % 5]));
  writeTop(context, gaugeText(chart.top, chart.unit), width, paint);
}

// The end of the scale, readable over any line.
function writeTop(context, text, width, paint) {
  context.font = `9.5px ${paint.mono}`;
  const room = context.measureText(text).width + 5;
  context.globalAlpha = 0.8; context.fillStyle = paint.panel;
  context.fillRect(width - room, 0, room, 11);
  context.globalAlpha = 1; context.fillStyle = paint.muted;
  context.textAlign = "right"; context.textBaseline = "top";
  context.fillText(text, width - 2, 1);
}

// Values that fall on one pixel are drawn as the stroke from their least to their greatest.
function drawSeries(context, series, x, y, colour, dash) {
  context.strokeStyle = colour; context.lineWidth = 1.3;
  context.setLineDash(dash);
  context.beginPath();
  let column = NaN, min = 0, max = 0, last = 0, started = false;
  const flush = () => {
    if (Number.isNaN(column)) return;
    if (started) context.lineTo(column + 0.5, y(last)); else context.moveTo(column + 0.5, y(last));
    if (max !== min) { context.moveTo(column + 0.5, y(max)); context.lineTo(column + 0.5, y(min)); context.moveTo(column + 0.5, y(last)); }
    // A point alone between two gaps is still seen.
    else if (!started) context.lineTo(column + 1.5, y(last));
    started = true;
  };
  for (let i = 0; i < series.at.length; i++) {
    const next = Math.floor(x(series.at[i])), value = series.value[i];
    if (series.breaks[i]) { flush(); column = NaN; started = false; }
    if (next !== column) { flush(); column = next; min = max = value; }
    min = Math.min(min, value); max = Math.max(max, value); last = value;
  }
  flush();
  context.stroke();
  context.setLineDash([]);
  context.lineWidth = 1;
}
