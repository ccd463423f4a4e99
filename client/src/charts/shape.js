/**
 * Numbers as the path of an SVG: the twin of the server's shapes.py. A point is one wide, and the picture
 * 100 high; the page stretches it to the room there is. One alone between gaps is as wide as a bar.
 *
 * @param {string | undefined} kind  bar, line or area
 * @param {(number | string | null)[]} values  what is not known is a gap
 * @param {number} start  the points from one to another are drawn, all give the scale
 * @param {number} end
 */
export function shape(kind, values, start, end) {
  const known = values.map(Number);
  const low = Math.min(0, ...known);
  const spread = Math.max(0, ...known) - low || 1;
  const y = (/** @type {number} */ value) => (98 - (96 * (value - low)) / spread).toFixed(1);
  const base = y(0);
  const close = kind === "line" ? "h0" : `V${base}z`;
  let [path, drawing] = ["", false];
  for (let n = start; n < end; n++) {
    const wide = kind === "bar" || (values[n - 1] == null && values[n + 1] == null);
    const x = n + (wide ? 0.1 : 0.5);
    const at = y(known[n]);
    if (values[n] == null) {
      if (drawing) path += close;
      drawing = false;
    } else {
      path += drawing ? `L${x} ${at}` : kind === "line" ? `M${x} ${at}` : `M${x} ${base}V${at}`;
      if (wide) path += `h0.8${close}`;
      else drawing = true;
    }
  }
  return drawing ? path + close : path;
}
