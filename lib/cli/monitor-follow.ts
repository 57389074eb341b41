// SPDX-License-Identifier: MIT
//
// What `microjoule monitor` does with a stream: lines for programs, lines for people, or a view that is redrawn.
import { planReport, type ReportOptions } from '../reports.js';
import {
  type MonitorView,
  monitorFrame,
  monitorIntroduction,
  monitorLine,
  newsText,
  notCounted,
  PowerHistory,
  type StreamRecord,
  StreamTotals,
  StreamWriter,
} from '../streams.js';
import { openScreen } from './screen.js';
import { complain, styleFor } from './terminal.js';

/** Who takes a stream. */
export interface Follower {
  /** @param stop ends the stream */
  take(record: StreamRecord, stop: () => void): void;
  /** However the stream ended. May be called twice. */
  close(): void;
}

/** A person sees no more than so much. */
const LEAST_REDRAW_NS = 100e6;
/** More than a terminal shows. */
const MOST_NEWS = 50;
const DEFAULT_COLUMNS = 80;

/** @param tellsRest whether what the format has no place for goes to stderr */
export function writeRecords(encode: (record: StreamRecord) => string, tellsRest = false): Follower {
  const writer = new StreamWriter(process.stdout, (record) => {
    // What the reader's own pace has left out nobody knows of but the writer.
    if (tellsRest && record.type === 'gap' && record.reason === 'reader') complain(newsText(record));
    return encode(record);
  });
  return {
    take(record) {
      writer.write(record);
      if (!tellsRest) return;
      if (record.type === 'header') for (const line of notCounted(record)) complain(line);
      if (record.type === 'gap' || record.type === 'note' || record.type === 'clock') {
        complain(newsText(record));
      }
    },
    close: () => {},
  };
}

/** Gathers what is seen of a stream. @throws MicrojouleError for options that a report of it would refuse */
function viewer(options: ReportOptions): (record: StreamRecord, isShown: boolean) => MonitorView | undefined {
  const { location, intensity, facility } = planReport(options).context;
  const pueRatio = facility?.pue ?? 1;
  const news: MonitorView['news'][number][] = [];
  let view: MonitorView | undefined;
  return (record, isShown) => {
    if (record.type === 'header') {
      const history = new PowerHistory(record.channels.map(({ inTotal }) => inTotal));
      const totals = new StreamTotals(record);
      view = { header: record, totals, history, location, intensity, pueRatio, news };
    }
    view?.totals.add(record);
    // Rows that are not shown have their energy in the next one that is.
    if (record.type === 'row' && isShown) view?.history.add(record);
    if (record.type === 'gap' || record.type === 'note' || record.type === 'clock') {
      news.push(record);
      if (news.length > MOST_NEWS) news.shift();
    }
    return view;
  };
}

/** A line for each interval. */
function lines(options: ReportOptions): Follower {
  const see = viewer(options);
  return writeRecords((record) => {
    const view = see(record, true);
    if (view === undefined) return '';
    if (record.type === 'header') return `${monitorIntroduction(view)}\n`;
    if (record.type === 'row') return record.timeNs > 0 ? `${monitorLine(view)}\n` : '';
    return record.type === 'end' ? '' : `${newsText(record)}\n`;
  });
}

/**
 * For a person: a view that is redrawn on a terminal, a line for each interval elsewhere.
 * @throws MicrojouleError for options that a report of it would refuse
 */
export function watch(options: ReportOptions): Follower {
  const { stdout, stdin } = process;
  if (!stdout.isTTY || process.env.TERM === 'dumb') return lines(options);
  const see = viewer(options);
  const style = styleFor(stdout);
  let view: MonitorView | undefined;
  let screen: ReturnType<typeof openScreen> | undefined;
  let shownNs = Number.NEGATIVE_INFINITY;
  const frame = (columns: number, rows: number): string[] =>
    view === undefined
      ? []
      : [
          ...monitorFrame(view, columns, rows - 1, style),
          style('muted', stdin.isTTY ? 'q quits' : 'Ctrl-C quits'),
        ];
  return {
    take(record, stop) {
      const isShown = record.type === 'row' && record.timeNs - shownNs >= LEAST_REDRAW_NS;
      view = see(record, isShown);
      if (record.type === 'header') screen = openScreen(stdout, stdin, frame, stop);
      if (!isShown) return;
      shownNs = record.timeNs;
      screen?.draw();
    },
    close() {
      screen?.close();
      // What was seen last stays.
      if (screen !== undefined && view !== undefined) {
        const last = monitorFrame(view, stdout.columns || DEFAULT_COLUMNS, Number.POSITIVE_INFINITY, style);
        stdout.write(`${last.join('\n')}\n`);
      }
      screen = undefined;
    },
  };
}
