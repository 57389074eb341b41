// SPDX-License-Identifier: MIT
//
// Just enough SVG for the figures of the docs. They are shown as images on light and on dark pages, where no style of the
// page reaches them, so every figure brings its own light ground.

const COLOURS = { ground: '#ffffff', frame: '#d0d7de', grid: '#e4e8ec', text: '#24292f', muted: '#57606a' };
const FONT = 'system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif';
/** Pixels. No text is smaller than `small`. */
export const SIZES = { title: 17, text: 14, small: 13 };

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text) => String(text).replace(/[&<>"]/g, (character) => ENTITIES[character]);
/** A tenth of a pixel is fine enough, and keeps files small and the same on every machine. */
const shown = (value) => (typeof value === 'number' ? String(Number(value.toFixed(1))) : escaped(value));

/** One element; undefined attributes are left out, and children are elements already. */
export function element(name, attributes, ...children) {
  const listed = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${shown(value)}"`)
    .join('');
  const inner = children.flat();
  return inner.length === 0 ? `<${name}${listed}/>` : `<${name}${listed}>${inner.join('')}</${name}>`;
}

export function text(
  x,
  y,
  content,
  { size = SIZES.text, anchor, colour = COLOURS.text, weight, turned } = {},
) {
  return element(
    'text',
    {
      x,
      y,
      'font-size': size,
      'text-anchor': anchor,
      fill: colour,
      'font-weight': weight,
      transform: turned ? `rotate(-90 ${shown(x)} ${shown(y)})` : undefined,
    },
    escaped(content),
  );
}

export const muted = (x, y, content, options = {}) =>
  text(x, y, content, { size: SIZES.small, colour: COLOURS.muted, ...options });

/** From values to pixels. `isLog` where lengths and errors span decades. */
export function scale([low, high], [from, to], isLog = false) {
  const place = isLog ? Math.log10 : (value) => value;
  return (value) => from + ((to - from) * (place(value) - place(low))) / (place(high) - place(low));
}

/**
 * A mark at a point: what differs in meaning differs in shape, not in colour alone. Every mark, and nothing else, has the
 * class `point`; marks in a legend have `key`.
 */
export function mark(shape, x, y, colour, { size = 4, name = 'point' } = {}) {
  const isHollow = shape.startsWith('hollow');
  const paint = {
    class: name,
    fill: isHollow ? COLOURS.ground : colour,
    stroke: colour,
    'stroke-width': isHollow ? 1.6 : undefined,
  };
  if (shape.endsWith('square')) {
    return element('rect', { x: x - size, y: y - size, width: 2 * size, height: 2 * size, ...paint });
  }
  if (shape.endsWith('diamond')) {
    const far = 1.35 * size;
    const corners = [
      [x, y - far],
      [x + far, y],
      [x, y + far],
      [x - far, y],
    ];
    return element('polygon', { points: corners.map((one) => one.map(shown).join(',')).join(' '), ...paint });
  }
  return element('circle', { cx: x, cy: y, r: size, ...paint });
}

export function line(points, colour, { width = 1, dashes, name } = {}) {
  return element('polyline', {
    class: name,
    points: points.map((point) => point.map(shown).join(',')).join(' '),
    fill: 'none',
    stroke: colour,
    'stroke-width': width,
    'stroke-dasharray': dashes,
  });
}

/** Lines and labels of one axis: `x` below the plot, `y` left of it. `plot` is [left, top, right, bottom]. */
export function axis(which, [left, top, right, bottom], at, ticks, label) {
  const parts = ticks.map(({ value, name }) => {
    const place = at(value);
    const ends =
      which === 'x'
        ? [
            [place, top],
            [place, bottom],
          ]
        : [
            [left, place],
            [right, place],
          ];
    const grid = line(ends, COLOURS.grid);
    if (name === undefined) return grid;
    return (
      grid +
      (which === 'x'
        ? muted(place, bottom + 18, name, { anchor: 'middle' })
        : muted(left - 8, place + 4.5, name, { anchor: 'end' }))
    );
  });
  if (label !== undefined) {
    parts.push(
      which === 'x'
        ? text((left + right) / 2, bottom + 40, label, { anchor: 'middle' })
        : text(left - 92, (top + bottom) / 2, label, { anchor: 'middle', turned: true }),
    );
  }
  return parts.join('\n');
}

export function frame([left, top, right, bottom]) {
  const at = { x: left, y: top, width: right - left, height: bottom - top };
  return element('rect', { ...at, fill: 'none', stroke: COLOURS.frame });
}

/** A stretch of the plot that matters, behind all else. */
export function band(left, top, right, bottom, colour) {
  const at = { x: left, y: top, width: right - left, height: bottom - top };
  return element('rect', { ...at, fill: colour, 'fill-opacity': '0.16' });
}

/** A whole figure, with its title, what it is of, and a description for those who cannot see it. */
export function figure({ width, height, title, subtitle, description }, ...parts) {
  return `${element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: 'img',
      'font-family': FONT,
    },
    '\n',
    [
      element('title', {}, escaped(title)),
      element('desc', {}, escaped(description)),
      element('rect', {
        x: 0.5,
        y: 0.5,
        width: width - 1,
        height: height - 1,
        rx: 6,
        fill: COLOURS.ground,
        stroke: COLOURS.frame,
      }),
      text(20, 32, title, { size: SIZES.title, weight: 600 }),
      muted(20, 53, subtitle),
      ...parts,
    ].join('\n'),
    '\n',
  )}\n`;
}
