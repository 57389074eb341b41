// SPDX-License-Identifier: MIT
import { createRequire } from 'node:module';
import type { Command } from 'commander';
import type { MeterOptions } from '../measures.js';

/** By `require`: importing CommonJS from ESM starts a lexer of its own, which costs more than the library. */
export const commander = createRequire(import.meta.url)('commander') as typeof import('commander');

/** A number of at least (or above) 0, or an error that commander prints with the flag's name. */
export function numberFrom(lowest: number, exclusive: boolean): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (Number.isFinite(value) && (exclusive ? value > lowest : value >= lowest)) return value;
    throw new commander.InvalidArgumentError(
      `Expected a number ${exclusive ? 'above' : 'of at least'} ${lowest}.`,
    );
  };
}

/** A whole number of at least 1. */
export function countFrom1(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new commander.InvalidArgumentError('Expected a whole number of at least 1.');
}

/** Text that is not blank. */
export function text(value: string): string {
  if (value.trim() !== '') return value;
  throw new commander.InvalidArgumentError('Expected some text.');
}

/** Collects a repeatable option. */
export function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

/** The flags that every command has, before or after its name. */
export function addMeterOptions(command: Command): Command {
  return command
    .addOption(
      new commander.Option(
        '--sysfs <dir>',
        'stands for /sys, e.g. a container mount (env: MICROJOULE_SYSFS)',
      ),
    )
    .addOption(new commander.Option('--dev <dir>', 'stands for /dev (env: MICROJOULE_DEV)'))
    .addOption(
      new commander.Option('--nvml-library <file>', "NVIDIA's NVML library (env: MICROJOULE_NVML_LIBRARY)"),
    )
    .addOption(
      new commander.Option(
        '--wake-gpus',
        'read GPUs that sleep, too, which wakes them (env: MICROJOULE_WAKE_GPUS)',
      ),
    )
    .addOption(
      new commander.Option('--sources <names>', 'use only these counter sources, e.g. powercap,nvml'),
    );
}

export interface MeterFlags {
  sysfs?: string;
  dev?: string;
  nvmlLibrary?: string;
  wakeGpus?: boolean;
  sources?: string;
}

export function toMeterOptions(flags: MeterFlags): MeterOptions {
  return {
    ...(flags.sysfs === undefined ? {} : { sysfs: flags.sysfs }),
    ...(flags.dev === undefined ? {} : { dev: flags.dev }),
    ...(flags.nvmlLibrary === undefined ? {} : { nvmlLibrary: flags.nvmlLibrary }),
    ...(flags.wakeGpus === undefined ? {} : { wakeGpus: flags.wakeGpus }),
    ...(flags.sources === undefined ? {} : { sources: flags.sources.split(',').map((name) => name.trim()) }),
  };
}
