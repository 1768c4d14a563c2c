// Small line charts beside each other, as an SVG that reads in light and dark.

const panel = { width: 300, height: 200, left: 24, right: 28, top: 44, bottom: 30 };

const escaped = (text) => text.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`);
const short = (n) => (n >= 1000 ? `${n / 1000}k` : `${n}`);
const rounded = (value) => value.toFixed(value < 1 ? 2 : value < 10 ? 1 : 0);

/**
 * One chart: `points` are `[x, y]`; x by its logarithm, y from 0. Every point has its value written
 * above it.
 */
function chart({ title, points }, at) {
  const { width, height, left, right, top, bottom } = panel;
  const xs = points.map(([x]) => Math.log(x));
  const most = Math.max(...points.map(([, y]) => y));
  const [first, last] = [Math.min(...xs), Math.max(...xs)];
  const x = (value) => left + ((Math.log(value) - first) / (last - first || 1)) * (width - left - right);
  const y = (value) => height - bottom - (value / (most * 1.15)) * (height - top - bottom);
  const line = points.map(([px, py]) => `${x(px).toFixed(1)},${y(py).toFixed(1)}`).join(' ');
  const marks = points.map(([px, py]) => {
    const [cx, cy] = [x(px).toFixed(1), y(py)];
    return `<circle cx="${cx}" cy="${cy.toFixed(1)}" r="3"/>
<text class="value" x="${cx}" y="${(cy - 9).toFixed(1)}">${rounded(py)}</text>
<text class="tick" x="${cx}" y="${height - bottom + 18}">${short(px)}</text>`;
  });
  return `<g transform="translate(${at} 0)">
<text class="title" x="${left}" y="20">${escaped(title)}</text>
<path class="axis" d="M${left} ${height - bottom}H${width - right}"/>
<polyline points="${line}"/>
${marks.join('\n')}
</g>`;
}

/**
 * The charts, and in words what they show.
 *
 * @param {{ title: string, points: [x: number, y: number][] }[]} charts
 */
export function plot(charts, about) {
  const { width, height } = panel;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width * charts.length} ${height}" role="img" aria-label="${escaped(about)}">
<style>
svg { font: 12px system-ui, sans-serif; color: #14181a; }
@media (prefers-color-scheme: dark) { svg { color: #e8ecee; } }
text { fill: currentColor; text-anchor: middle; }
.title { text-anchor: start; font-weight: 600; }
.tick { opacity: .65; }
.axis { stroke: currentColor; opacity: .3; }
polyline { fill: none; stroke: #0f8a5f; stroke-width: 2; }
circle { fill: #0f8a5f; }
</style>
${charts.map((one, n) => chart(one, n * width)).join('\n')}
</svg>
`;
}
