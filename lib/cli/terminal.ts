// SPDX-License-Identifier: MIT
import { ansiStyle, type Style } from '../reports.js';

const plain: Style = (_, text) => text;

/** Colours where the stream is a terminal that has them and NO_COLOR does not forbid them. */
export function styleFor(stream: NodeJS.WriteStream): Style {
  const forced = process.env.FORCE_COLOR;
  if (process.env.NO_COLOR) return plain;
  if (forced !== undefined && forced !== '0' && forced !== 'false') return ansiStyle;
  return stream.isTTY && stream.hasColors() ? ansiStyle : plain;
}

/** `microjoule: message`, and what to do about it on the next line. */
export function complain(message: string, hint?: string): void {
  process.stderr.write(`microjoule: ${message}\n${hint === undefined ? '' : `${hint}\n`}`);
}
