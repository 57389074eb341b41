// SPDX-License-Identifier: MIT
//
// `microjoule/format`: reports as files, and what else is read from and written to them.
export { codecarbonRow } from './format/codecarbon-csv.js';
export { formatCounters } from './format/counters.js';
export { formatHtml } from './format/html/index.js';
export { FORMATTERS, type Formatter } from './format/index.js';
export { formatJson } from './format/json.js';
export { formatMarkdown } from './format/markdown.js';
export { formatModelCard, withModelCard } from './format/model-card.js';
export { type MergeContext, mergeReports } from './report/merge.js';
export { checkModelDetails, parseModelDetails } from './report/model.js';
export type { Written } from './tracker/csv-beside.js';
export type { OnCsvWrite } from './tracker/csv-file.js';
export { checkEndpoint, sendReport } from './tracker/endpoint.js';
export { flushOutputs } from './tracker/flush.js';

export { keepUnfinished } from './tracker/keep-unfinished.js';
export { writeModelCard } from './tracker/model-card-file.js';
export {
  checkOutput,
  checkWriteOptions,
  isCsv,
  type OutputFile,
  outputExtensions,
  resolveOutput,
  type WriteOptions,
  writeOutputs,
  writeReport,
} from './tracker/output.js';
export { readReport } from './tracker/read-report.js';
export { openTaskFile, type TaskFile } from './tracker/task-file.js';
