// SPDX-License-Identifier: MIT
//
// The row of a report to a server of the user's. Nothing here runs unless its URL was given.
import { MicrojouleError } from '../core/errors.js';
import type { Report } from '../core/report-types.js';
import type { Warning } from '../core/vocabulary.js';
import { codecarbonRow } from '../format/codecarbon-csv.js';
import { asHttpUrl } from './http-url.js';

/** All of it: name, connection, answer. A run that is over must not wait for a server that hangs. */
const BUDGET_MS = 5000;

/** @throws MicrojouleError `ERR_BAD_OPTION` for what is no http or https URL */
export function checkEndpoint(endpoint: unknown): URL {
  const url = asHttpUrl(endpoint);
  if (url !== undefined) return url;
  throw new MicrojouleError(
    'ERR_BAD_OPTION',
    'emissionsEndpoint must be a URL that begins with http:// or https://',
    {
      hint: 'For example https://example.org/emissions. The row is sent there as JSON, by POST.',
    },
  );
}

/** The URL for messages and files: without user, password and query, which may hold secrets. */
function withoutSecrets({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}

/**
 * Sends CodeCarbon's row of the report, as JSON by POST, and waits for the answer for five seconds at most; any status of
 * 200 to 299 will do. Never rejects for reasons of the network: what went wrong is the warning that it resolves to.
 * @throws MicrojouleError `ERR_BAD_OPTION` for what is no URL
 */
export async function sendReport(report: Report, endpoint: string): Promise<Warning | undefined> {
  const url = checkEndpoint(endpoint);
  let problem: string;
  try {
    const { href, headers } = requestTo(url);
    const response = await fetch(href, {
      method: 'POST',
      headers,
      body: JSON.stringify(codecarbonRow(report)),
      // Where the row goes is the user's choice, not the server's.
      redirect: 'error',
      signal: AbortSignal.timeout(BUDGET_MS),
    });
    // An unread answer would keep its connection.
    await response.body?.cancel();
    if (response.ok) return undefined;
    problem = `it answered ${response.status} ${response.statusText}`.trim();
  } catch (error) {
    problem = reasonOf(error);
  }
  return {
    code: 'endpoint-failed',
    message: `The row could not be sent to ${withoutSecrets(url)}: ${problem}.`,
    hint: 'The report itself is complete: send it again with sendReport() of microjoule/format.',
  };
}

/** What was meant by a part of a URL. A per cent sign that begins no character stands for itself, as in `50%`. */
function decoded(text: string): string {
  return text.replace(/(?:%[\da-f]{2})+/gi, (sequence) => {
    try {
      return decodeURIComponent(sequence);
    } catch {
      return sequence;
    }
  });
}

/** fetch() takes no user and password in a URL. */
function requestTo(url: URL): { href: string; headers: Record<string, string> } {
  const headers: Record<string, string> = { 'Content-Type': 'application/json' };
  const { username, password } = url;
  if (username === '' && password === '') return { href: url.href, headers };
  const plain = new URL(url);
  plain.username = '';
  plain.password = '';
  const secret = `${decoded(username)}:${decoded(password)}`;
  headers.Authorization = `Basic ${Buffer.from(secret, 'utf8').toString('base64')}`;
  return { href: plain.href, headers };
}

function reasonOf(error: unknown): string {
  const { name, message, cause } = error as Error;
  if (name === 'TimeoutError') return `there was no answer within ${BUDGET_MS / 1000} s`;
  const { code, message: inner } = (cause ?? {}) as { code?: string; message?: string };
  return code ?? inner ?? message;
}
