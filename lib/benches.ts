// SPDX-License-Identifier: MIT
//
// `microjoule/bench`: command lines measured one against the other, and the result in the formats that others read.

export { type BenchCommandsOptions, benchCommands } from './bench/bench-commands.js';
export { listParameter, scanParameter } from './bench/parameters.js';
export type { BenchOptions } from './bench/plan.js';
export type { BenchProgress } from './bench/run.js';
export type * from './bench/types.js';
export { formatBenchAsciidoc } from './format/bench-asciidoc.js';
export { formatBenchCsv } from './format/bench-csv.js';
export { formatBenchJson } from './format/bench-json.js';
export { formatBenchMarkdown } from './format/bench-markdown.js';
export { formatBenchText } from './format/bench-text.js';
export { formatBenchBmf, formatBenchGithub } from './format/bench-trackers.js';
