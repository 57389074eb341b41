// SPDX-License-Identifier: MIT
import { type CloudOptions, cloudWarnings, describeCloud } from '../carbon/cloud.js';
import { type IntensityOptions, resolveIntensity } from '../carbon/intensity.js';
import { type LocationOptions, resolveLocation } from '../carbon/location.js';
import { requireText } from '../carbon/place-key.js';
import type { Measurement, ModelDetails, Report } from '../core/report-types.js';
import { buildReport, type ReportContext } from '../report/build.js';
import { checkFacilityOptions, type FacilityOptions } from '../report/facility.js';
import { checkModelDetails } from '../report/model.js';
import { checkScoreOptions, type ScoreOptions } from '../report/score.js';
import { packageVersion } from '../version.js';

/** What a report says beside the measurement. */
export interface ReportOptions
  extends LocationOptions,
    IntensityOptions,
    CloudOptions,
    ScoreOptions,
    FacilityOptions {
  /** Default: `microjoule`. */
  projectName?: string | undefined;
  /** Default: a random UUID. */
  runId?: string | undefined;
  /** What several runs belong to: `experiment_id` of emissions.csv. */
  experimentId?: string | undefined;
  /** The same for people; part of the name of the file of tasks. */
  experimentName?: string | undefined;
  model?: ModelDetails | undefined;
}

/** What plain JavaScript may hand over as numbers, and files need as text. */
const NAMES = ['projectName', 'runId', 'experimentId', 'experimentName'] as const;

/** A report's place, grid and names, settled before the work starts. */
export interface ReportPlan {
  /** `model` replaces the plan's own. @throws MicrojouleError `ERR_BAD_MODEL` */
  report(measurement: Measurement, model?: ModelDetails): Report;
  /** What reports say beside their measurement, for a report that is made of a trace. */
  readonly context: Omit<ReportContext, 'generatedAtMs'>;
}

/**
 * A version 4 UUID (RFC 9562) that tells runs apart and guards nothing. Node's own loads its cryptography for it, which
 * takes as long as all the rest of a report.
 */
function randomUuid(): string {
  const digit = (template: string): string => {
    const value = Math.floor(Math.random() * 16);
    return (template === 'y' ? (value & 3) | 8 : value).toString(16);
  };
  return 'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx'.replace(/[xy]/g, digit);
}

/**
 * Checks the options and looks up place and carbon intensity, so that what is wrong with them is told before the
 * work starts. Nothing here touches the network.
 * @throws MicrojouleError `ERR_UNKNOWN_COUNTRY`, `ERR_UNKNOWN_REGION`, `ERR_BAD_OPTION`, `ERR_BAD_MODEL`
 */
export function planReport(options: ReportOptions = {}): ReportPlan {
  for (const name of NAMES) if (options[name] !== undefined) requireText(name, options[name]);
  const cloud = describeCloud(options);
  const untold = cloudWarnings(options);
  const location = resolveLocation(options, cloud);
  const intensity = resolveIntensity(location, options);
  checkScoreOptions(options);
  checkFacilityOptions(options);
  const projectName = options.projectName ?? 'microjoule';
  const runId = options.runId ?? randomUuid();
  const planned = checkModel(options.model);
  const { pue, wue } = options;
  const context = {
    location,
    intensity,
    cloud,
    facility: { pue, wue },
    score: scoreOptions(options),
    ...(planned === undefined ? {} : { model: planned }),
    projectName,
    runId,
    ...(options.experimentId === undefined ? {} : { experimentId: options.experimentId }),
    ...(options.experimentName === undefined ? {} : { experimentName: options.experimentName }),
    version: packageVersion(),
  };
  return {
    context,
    report(measurement, replacing) {
      const model = checkModel(replacing);
      const warnings = [...measurement.warnings, ...untold];
      return buildReport(untold.length === 0 ? measurement : { ...measurement, warnings }, {
        ...context,
        ...(model === undefined ? {} : { model }),
        generatedAtMs: Date.now(),
      });
    },
  };
}

/** Of all options, those of the score: a context goes into files. */
function scoreOptions(options: ScoreOptions): ScoreOptions {
  const { embodiedKg, lifespanYears, reservedRatio, reservedSeconds, functionalUnit, unitCount } = options;
  return { embodiedKg, lifespanYears, reservedRatio, reservedSeconds, functionalUnit, unitCount };
}

function checkModel(model: ModelDetails | undefined): ModelDetails | undefined {
  return model === undefined ? undefined : checkModelDetails(model, 'model');
}

/**
 * The CO2 emission report of a measurement. Nothing here touches the network.
 * @throws MicrojouleError as {@link planReport}, and `ERR_NO_ENERGY` when the measurement holds none
 */
export function createReport(measurement: Measurement, options: ReportOptions = {}): Report {
  return planReport(options).report(measurement);
}
