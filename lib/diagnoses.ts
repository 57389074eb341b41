// SPDX-License-Identifier: MIT
//
// `microjoule/doctor`: what this machine can measure, why not more, and what to do about it.
export { diagnose } from './doctor/diagnose.js';
export type * from './doctor/diagnosis.js';
export { formatDiagnosis } from './format/doctor.js';
