/**
 * Numbers as the path of an SVG: the twin of the server's shapes.py. A point is one wide, and the picture
 * 100 high; the page stretches it to the room there is.
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
  const y = (/** @type {number} */ value) => (98 - ((value - low) / spread) * 96).toFixed(1);
  const base = y(0);
  const close = kind === "area" ? `V${base}z` : "h0";
  let [path, join] = ["", ""];
  for (let n = Math.max(start, 0); n < end; n++) {
    const at = y(known[n]);
    if (values[n] === null) {
      if (join) path += close;
      join = "";
    } else if (kind === "bar") path += `M${n + 0.1} ${base}V${at}h0.8V${base}z`;
    else {
      const x = n + 0.5;
      path += `${join || (kind === "area" ? `M${x} ${base}L` : "M")}${x} ${at}`;
      join = "L";
    }
  }
  return join ? path + close : path;
}
