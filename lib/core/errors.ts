// SPDX-License-Identifier: MIT

/** The stable codes of {@link MicrojouleError}. Match on these, never on messages. */
export type ErrorCode =
  | 'ERR_BAD_OPTION'
  | 'ERR_BAD_MODEL'
  | 'ERR_NO_COUNTERS'
  | 'ERR_NO_ENERGY'
  | 'ERR_METER_CLOSED'
  | 'ERR_TRACKER_STATE'
  | 'ERR_REGION_STATE'
  | 'ERR_UNKNOWN_COUNTRY'
  | 'ERR_UNKNOWN_REGION'
  | 'ERR_BAD_REPORT'
  | 'ERR_BAD_STREAM'
  | 'ERR_NOT_LOADED'
  | 'ERR_UNSUPPORTED_VERSION'
  | 'ERR_OUTPUT';

/** The one error class of the package: `message` says what was wrong and where, `hint` what to do. */
export class MicrojouleError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}

Object.defineProperty(MicrojouleError.prototype, 'name', {
  value: 'MicrojouleError',
  configurable: true,
  writable: true,
});
