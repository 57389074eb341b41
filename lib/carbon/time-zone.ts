// SPDX-License-Identifier: MIT
import { readlinkSync } from 'node:fs';

const ZONE_NAME = /^[A-Za-z]+(?:\/[A-Za-z0-9_+-]+)*$/;

function linkedZone(localtime: string): string | undefined {
  try {
    return /zoneinfo\/(?:posix\/|right\/)?(.+)$/.exec(readlinkSync(localtime))?.[1];
  } catch {
    return undefined;
  }
}

/**
 * The IANA name of the system's time zone, or undefined. Looks where ICU looks, TZ and then the link
 * /etc/localtime, because asking `Intl` loads its locale data: tens of milliseconds that a short command would pay.
 */
export function systemTimeZone(
  variable: string | undefined = process.env.TZ,
  localtime = '/etc/localtime',
): string | undefined {
  const found = variable ? variable.replace(/^:/, '') : linkedZone(localtime);
  if (found !== undefined && ZONE_NAME.test(found)) return found;
  // Undefined in spite of its type when TZ names a zone that does not exist.
  return new Intl.DateTimeFormat().resolvedOptions().timeZone as string | undefined;
}
