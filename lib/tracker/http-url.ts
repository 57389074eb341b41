// SPDX-License-Identifier: MIT

/** The URL that a text is, if it is one of http or https. */
export function asHttpUrl(text: unknown): URL | undefined {
  if (typeof text !== 'string' || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return /^https?:$/.test(url.protocol) ? url : undefined;
}
