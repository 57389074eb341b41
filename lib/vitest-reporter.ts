// SPDX-License-Identifier: MIT
//
// `microjoule/vitest/reporter`: vitest's default reporter with columns for energy. vitest takes what a reporter's module
// exports by default.
export { EnergyReporter, EnergyReporter as default } from './harness/vitest-reporter.js';
