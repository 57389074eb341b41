// SPDX-License-Identifier: MIT
//
// What runs in the reader's browser, as text: it goes into the page. It asks for nothing outside of it.

/** Shows what `data-tip` holds, for the mouse and for the keyboard. */
export const TIP_SCRIPT = `
(() => {
  const tip = document.getElementById('tip');
  const place = (x, y) => {
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(x + 14, innerWidth - width - 4)) + 'px';
    tip.style.top = (y + 18 + height > innerHeight ? Math.max(4, y - height - 10) : y + 18) + 'px';
  };
  const show = (target, x, y) => {
    tip.textContent = target.dataset.tip;
    tip.hidden = false;
    place(x, y);
  };
  const hide = () => { tip.hidden = true; };
  for (const target of document.querySelectorAll('[data-tip]')) {
    target.addEventListener('pointermove', (event) => show(target, event.clientX, event.clientY));
    target.addEventListener('pointerleave', hide);
    target.addEventListener('focus', () => {
      const box = target.getBoundingClientRect();
      if (target.matches(':focus-visible')) show(target, box.left, box.bottom - 12);
    });
    target.addEventListener('blur', hide);
  }
  addEventListener('keydown', (event) => { if (event.key === 'Escape') hide(); });
  addEventListener('scroll', hide, { passive: true });
})();
`;

/**
 * Draws the power over time from the JSON in #series: a mean line and the envelope of the least and the most; drag or
 * keys zoom, a double click goes back. However long the series is, no more than one step a pixel is drawn.
 */
export const SERIES_SCRIPT = `
(() => {
  const { edgesSeconds: edges, channels } = JSON.parse(document.getElementById('series').textContent);
  const svg = document.getElementById('power');
  const reset = document.getElementById('reset');
  const readout = document.getElementById('readout');
  const W = 900, H = 310, L = 58, R = 14, T = 14, B = 44;
  const first = edges[0], last = edges[edges.length - 1];
  let from = first, to = last;
  const NS = 'http://www.w3.org/2000/svg';
  const make = (name, attributes, text) => {
    const element = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const x = (t) => L + ((t - from) / (to - from)) * (W - L - R);
  // The interval that holds t.
  const indexOf = (t) => {
    let low = 0, high = edges.length - 2;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (edges[middle] <= t) low = middle; else high = middle - 1;
    }
    return low;
  };
  // Intervals in view, brought together to at most one a pixel: means by time, extremes of extremes.
  const thin = (channel) => {
    const a = indexOf(from), b = indexOf(to), columns = W - L - R;
    const step = Math.max(1, Math.ceil((b - a + 1) / columns));
    const out = [];
    for (let i = a; i <= b; i += step) {
      let joules = 0, seconds = 0, low = Infinity, high = -Infinity;
      const end = Math.min(i + step, b + 1);
      for (let j = i; j < end; j++) {
        const watts = channel.powerWatts[j];
        if (watts === null || watts === undefined) continue;
        const length = edges[j + 1] - edges[j];
        joules += watts * length;
        seconds += length;
        low = Math.min(low, channel.lowestWatts?.[j] ?? watts);
        high = Math.max(high, channel.highestWatts?.[j] ?? watts);
      }
      out.push(seconds > 0
        ? { from: edges[i], to: edges[end], mean: joules / seconds, low, high }
        : { from: edges[i], to: edges[end], gap: true });
    }
    return out;
  };
  const ticks = (low, high, count) => {
    const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
    const out = [];
    for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++) out.push(n * step);
    return { values: out, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
  };
  // Beyond ten minutes times are hours, minutes and seconds.
  const long = last > 600;
  const clock = (t, digits) => {
    if (!long) return t.toFixed(digits);
    const whole = Number(t.toFixed(digits));
    const hours = Math.floor(whole / 3600), minutes = Math.floor((whole - hours * 3600) / 60);
    const seconds = (whole - hours * 3600 - minutes * 60).toFixed(digits);
    return hours + ':' + String(minutes).padStart(2, '0') + ':' + seconds.padStart(digits > 0 ? 3 + digits : 2, '0');
  };
  const timeTicks = (low, high, count) => {
    const raw = (high - low) / count, day = 86400;
    if (!long || raw <= 1) return ticks(low, high, count);
    if (raw > day / 2) return { values: ticks(low / day, high / day, count).values.map((n) => n * day), digits: 0 };
    const step = [2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200].find((s) => s >= raw);
    const out = [];
    for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++) out.push(n * step);
    return { values: out, digits: 0 };
  };
  const color = (channel, index) =>
    'var(--' + (channel.component ?? ['other', 'cpu', 'gpu', 'ram'][index % 4]) + ')';
  function draw() {
    svg.replaceChildren();
    const thinned = channels.map(thin);
    let top = 0;
    for (const points of thinned) for (const p of points) if (!p.gap) top = Math.max(top, p.high);
    top = top > 0 ? top * 1.05 : 1;
    const y = (watts) => T + (1 - watts / top) * (H - T - B);
    const clip = make('clipPath', { id: 'plot' });
    clip.append(make('rect', { x: L, y: T, width: W - L - R, height: H - T - B }));
    svg.append(clip);
    const up = ticks(0, top, 5);
    for (const value of up.values) {
      svg.append(make('line', { x1: L, x2: W - R, y1: y(value), y2: y(value), stroke: 'var(--line)' }));
      svg.append(make('text', { x: L - 6, y: y(value) + 4, 'text-anchor': 'end', class: 'soft' }, value.toFixed(up.digits)));
    }
    svg.append(make('text', { x: 2, y: T + 4, class: 'soft' }, 'W'));
    const along = timeTicks(from, to, 8);
    for (const value of along.values) {
      svg.append(make('line', { x1: x(value), x2: x(value), y1: H - B, y2: H - B + 4, stroke: 'var(--soft)' }));
      svg.append(make('text', { x: x(value), y: H - B + 18, 'text-anchor': 'middle', class: 'soft' }, clock(value, along.digits)));
    }
    svg.append(make('text', { x: W - R, y: H - 3, 'text-anchor': 'end', class: 'soft' }, (long ? 'h:min:s' : 'seconds') + ' since the start'));
    const plot = make('g', { 'clip-path': 'url(#plot)' });
    channels.forEach((channel, index) => {
      const fill = color(channel, index);
      let line = '', band = '', run = [];
      const close = () => {
        if (run.length === 0) return;
        band += 'M' + run.map((p) => x(p.from) + ' ' + y(p.high) + 'L' + x(p.to) + ' ' + y(p.high)).join('L') +
          'L' + run.slice().reverse().map((p) => x(p.to) + ' ' + y(p.low) + 'L' + x(p.from) + ' ' + y(p.low)).join('L') + 'Z';
        run = [];
      };
      let pen = false;
      for (const p of thinned[index]) {
        if (p.gap) { close(); pen = false; continue; }
        run.push(p);
        line += (pen ? 'L' : 'M') + x(p.from) + ' ' + y(p.mean) + 'L' + x(p.to) + ' ' + y(p.mean);
        pen = true;
      }
      close();
      plot.append(make('path', { class: 'envelope', d: band, fill, 'fill-opacity': '.22' }));
      plot.append(make('path', { class: 'mean', d: line, fill: 'none', stroke: fill, 'stroke-width': '1.5' }));
    });
    svg.append(plot);
    reset.disabled = from === first && to === last;
    svg.dataset.from = from;
    svg.dataset.to = to;
  }
  const shortest = () => { let s = Infinity; for (let i = 1; i < edges.length; i++) s = Math.min(s, edges[i] - edges[i - 1]); return s; };
  const least = shortest();
  function zoom(a, b) {
    let [low, high] = [Math.max(first, Math.min(a, b)), Math.min(last, Math.max(a, b))];
    if (high - low < least) return;
    from = low; to = high;
    draw();
  }
  const timeAt = (event) => {
    const box = svg.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * W;
    return Math.min(to, Math.max(from, from + ((at - L) / (W - L - R)) * (to - from)));
  };
  let start = null, mark = null;
  svg.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    start = timeAt(event);
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener('pointermove', (event) => {
    const t = timeAt(event), i = indexOf(t);
    readout.textContent = (long ? clock(t, timeTicks(from, to, 8).digits) : t.toPrecision(4) + ' s') + ': ' + channels.map((c) => {
      const watts = c.powerWatts[i];
      return c.name + ' ' + (watts === null || watts === undefined ? 'unknown' : watts.toPrecision(4) + ' W');
    }).join(', ');
    mark?.remove();
    mark = start === null
      ? make('line', { x1: x(t), x2: x(t), y1: T, y2: H - B, stroke: 'var(--soft)', 'stroke-dasharray': '3 3' })
      : make('rect', { x: Math.min(x(start), x(t)), width: Math.abs(x(t) - x(start)), y: T, height: H - T - B, fill: 'var(--soft)', 'fill-opacity': '.2' });
    svg.append(mark);
  });
  svg.addEventListener('pointerup', (event) => {
    if (start === null) return;
    const [a, b] = [start, timeAt(event)];
    start = null;
    mark?.remove();
    if (Math.abs(x(a) - x(b)) > 4) zoom(a, b);
  });
  svg.addEventListener('pointercancel', () => { start = null; mark?.remove(); });
  svg.addEventListener('pointerleave', () => { if (start === null) { mark?.remove(); readout.textContent = readout.dataset.hint; } });
  const all = () => zoom(first, last);
  svg.addEventListener('dblclick', all);
  reset.addEventListener('click', all);
  svg.addEventListener('keydown', (event) => {
    const length = to - from, middle = (from + to) / 2;
    const moves = {
      '+': () => zoom(middle - length / 4, middle + length / 4),
      '=': () => zoom(middle - length / 4, middle + length / 4),
      '-': () => zoom(middle - length, middle + length),
      '0': all,
      Escape: all,
      ArrowLeft: () => { const by = Math.min(length / 4, from - first); zoom(from - by, to - by); },
      ArrowRight: () => { const by = Math.min(length / 4, last - to); zoom(from + by, to + by); },
    };
    if (moves[event.key] === undefined) return;
    event.preventDefault();
    moves[event.key]();
  });
  draw();
})();
`;
