/** Step lines over time as an SVG that stands alone. */

export interface Line {
  readonly name: string;
  readonly colour: string;
  /** Seconds and values, in order of time; a value holds until the next one. */
  readonly points: readonly (readonly [seconds: number, value: number])[];
  readonly isDashed?: boolean;
}

const WIDTH = 960;
const HEIGHT = 360;
const MARGIN = { top: 48, right: 24, bottom: 40, left: 48 };
const GRID_LINES = 5;

export function stepChart(title: string, lines: readonly Line[]): string {
  const all = lines.flatMap(({ points }) => points);
  const longest = Math.max(1, ...all.map(([seconds]) => seconds));
  const highest = Math.max(1, ...all.map(([, value]) => value));
  const x = (seconds: number) =>
    round(MARGIN.left + (seconds / longest) * (WIDTH - MARGIN.left - MARGIN.right));
  const y = (value: number) =>
    round(HEIGHT - MARGIN.bottom - (value / highest) * (HEIGHT - MARGIN.top - MARGIN.bottom));

  const parts = Array.from({ length: GRID_LINES + 1 }, (_, index) => {
    const value = (highest * index) / GRID_LINES;
    const seconds = Math.round((longest * index) / GRID_LINES);
    return `<path d="M${x(0)} ${y(value)}H${x(longest)}" stroke="#ddd"/>
<text x="${MARGIN.left - 8}" y="${y(value) + 4}" text-anchor="end">${round(value)}</text>
<text x="${x(seconds)}" y="${HEIGHT - 16}" text-anchor="middle">${seconds} s</text>`;
  });
  lines.forEach(({ name, colour, points, isDashed }, index) => {
    const path = points.map(([seconds, value], at) =>
      at === 0 ? `M${x(seconds)} ${y(value)}` : `H${x(seconds)}V${y(value)}`,
    );
    const dash = isDashed ? ' stroke-dasharray="6 4"' : '';
    const left = MARGIN.left + index * 220;
    parts.push(
      `<path d="${path.join('')}H${x(longest)}" fill="none" stroke="${colour}" stroke-width="2"${dash}/>
<path d="M${left} 34h24" stroke="${colour}" stroke-width="2"${dash}/><text x="${left + 30}" y="38">${name}</text>`,
    );
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12" fill="#333">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
<text x="${MARGIN.left}" y="18" font-size="14">${title}</text>
${parts.join('\n')}
</svg>
`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
