// Starts the viewer once the page is read. What goes wrong is said on the page.

async function start() {
  if (typeof DecompressionStream === "undefined") throw new Error("this browser is too old to read it: it has no DecompressionStream (Chrome 80, Firefox 113, Safari 16.4)");
  const box = find("data"), report = unpack(await inflate(box.textContent));
  box.remove();
  find("all").hidden = false;
  const app = new App(report);
  app.follow();
  app.draw();
  performance.mark("flametop drawn");
  document.documentElement.dataset.ready = "yes";
  // For the console and for scripts: what is on the page, as values.
  window.flametop = {
    report,
    get state() { return app.state; },
    get total() { return app.model.flame.total[app.model.flame.total.length - 1][0]; },
    get flame() { return app.model.flame; },
    get table() { return app.model.table; },
    get folded() { return foldedText(app.model); },
    get drawn() { return { ...app.icicle.drawn, all: app.drawMs }; },
    change(patch) { app.change(patch); app.draw(); },
    name: (frame) => report.frames[frame]?.name ?? "all",
  };
}

start().catch((error) => {
  find("fatal").hidden = false;
  find("fatal").textContent = `This report can't be shown: ${error.message}`;
  throw error;
});
