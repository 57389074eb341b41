// SPDX-License-Identifier: MIT
//
// `microjoule/report`: measurements into reports, and reports as text for a terminal.
export { ansiStyle } from './format/ansi-style.js';
export { formatText, type Style, type StyleName } from './format/text.js';
export type * from './report/types.js';
export {
  createReport,
  planReport,
  type ReportOptions,
  type ReportPlan,
} from './tracker/create-report.js';
