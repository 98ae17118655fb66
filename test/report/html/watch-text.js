// Runs in a page before its own scripts: notes the ink of every text since its canvas was last cleared.
(() => {
  const context = CanvasRenderingContext2D.prototype;
  const { clearRect, fillText } = context;
  const notes = new Map();
  context.clearRect = function (...area) {
    notes.set(this.canvas, []);
    clearRect.apply(this, area);
  };
  context.fillText = function (...given) {
    const [text, x, y] = given;
    const ink = this.measureText(text);
    const matrix = this.getTransform();
    const corners = [
      [x - ink.actualBoundingBoxLeft, y - ink.actualBoundingBoxAscent],
      [x + ink.actualBoundingBoxRight, y - ink.actualBoundingBoxAscent],
      [x - ink.actualBoundingBoxLeft, y + ink.actualBoundingBoxDescent],
      [x + ink.actualBoundingBoxRight, y + ink.actualBoundingBoxDescent],
    ].map(([left, top]) => matrix.transformPoint({ x: left, y: top }));
    const xs = corners.map((corner) => corner.x);
    const ys = corners.map((corner) => corner.y);
    const box = {
      text,
      left: Math.min(...xs),
      right: Math.max(...xs),
      top: Math.min(...ys),
      bottom: Math.max(...ys),
    };
    if (text.trim() !== '') notes.get(this.canvas)?.push(box);
    fillText.apply(this, given);
  };
  globalThis.drawnText = () =>
    [...document.querySelectorAll('#figures figure')].map((figure) => {
      const canvas = figure.querySelector('.plot canvas');
      const { width, height } = canvas;
      const chart = figure.querySelector('h3').textContent;
      return { chart, width, height, boxes: notes.get(canvas) ?? [] };
    });
})();
