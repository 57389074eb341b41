// SPDX-License-Identifier: MIT
//
// `microjoule/report`: measurements into reports, and reports as text for a terminal.

export { type CloudPlace, detectCloud, type MetadataOptions } from './carbon/cloud-metadata.js';
export type * from './core/report-types.js';
export type { Warning } from './core/vocabulary.js';
export { ansiStyle } from './format/ansi-style.js';
export { formatProgress, type Progress } from './format/progress.js';
export { formatText, type Style, type StyleName } from './format/text.js';
export { loadConfig } from './tracker/config.js';
export { override, type Settled } from './tracker/config-keys.js';
export {
  createReport,
  planReport,
  type ReportOptions,
  type ReportPlan,
} from './tracker/create-report.js';
export { checkFlushSeconds } from './tracker/flush-interval.js';
export { type ConfigOptions, unknownOptions } from './tracker/option-names.js';
export { resolvePlace } from './tracker/place.js';
