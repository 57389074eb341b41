// SPDX-License-Identifier: MIT
//
// `microjoule/format`: reports as files, and what else is read from and written to them.
export { formatCounters } from './format/counters.js';
export { formatHtml } from './format/html/index.js';
export { FORMATTERS, type Formatter } from './format/index.js';
export { formatJson } from './format/json.js';
export { formatMarkdown } from './format/markdown.js';
export { formatModelCard, withModelCard } from './format/model-card.js';
export { type MergeContext, mergeReports } from './report/merge.js';
export { checkModelDetails, parseModelDetails } from './report/model.js';
export { writeModelCard } from './tracker/model-card-file.js';
export { checkOutput, outputExtensions, type Written, writeOutputs, writeReport } from './tracker/output.js';
export { readReport } from './tracker/read-report.js';
