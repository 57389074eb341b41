// SPDX-License-Identifier: MIT
//
// `microjoule/report`: measurements into reports, reports into text and files.
export { ansiStyle } from './format/ansi-style.js';
export { formatCounters } from './format/counters.js';
export { FORMATTERS, type Formatter } from './format/index.js';
export { formatJson } from './format/json.js';
export { formatMarkdown } from './format/markdown.js';
export { formatText, type Style, type StyleName } from './format/text.js';
export { parseModelDetails } from './report/model.js';
export type * from './report/types.js';
export {
  createReport,
  planReport,
  type ReportOptions,
  type ReportPlan,
} from './tracker/create-report.js';
export { checkOutput, outputExtensions, type Written, writeReport } from './tracker/output.js';
