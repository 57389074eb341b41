// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { findProgram } from '../../lib/cli/windows-program.js';

const FILES = [
  'C:\\work\\train.exe',
  'C:\\work\\tool.py',
  'C:\\work\\bin\\deep.cmd',
  'C:\\Program Files\\nodejs\\npm',
  'C:\\Program Files\\nodejs\\npm.cmd',
  'C:\\Program Files\\nodejs\\node.exe',
  'C:\\tools\\node.bat',
];

const find = (command: string, environment: Record<string, string> = {}): string | undefined =>
  findProgram(command, {
    folder: 'C:\\work',
    environment: { PATH: '"C:\\Program Files\\nodejs";C:\\tools', ...environment },
    isFile: (file) => FILES.some((one) => one.toLowerCase() === file.toLowerCase()),
  });

describe('the file that a name means on Windows', () => {
  it.each([
    ['npm', 'C:\\Program Files\\nodejs\\npm.CMD'],
    ['npm.cmd', 'C:\\Program Files\\nodejs\\npm.cmd'],
    ['node', 'C:\\Program Files\\nodejs\\node.EXE'],
    ['train', 'C:\\work\\train.EXE'],
    ['.\\train', 'C:\\work\\train.EXE'],
    ['./tool.py', 'C:\\work\\tool.py'],
    ['bin\\deep', 'C:\\work\\bin\\deep.CMD'],
    ['C:\\tools\\node.bat', 'C:\\tools\\node.bat'],
    ['nothing', undefined],
    ['C:\\tools\\nothing', undefined],
  ])('%s', (command, file) => {
    expect(find(command)).toBe(file);
  });

  it('goes by PATHEXT', () => {
    expect(find('npm', { PATHEXT: '.EXE' })).toBeUndefined();
    expect(find('npm', { PATHEXT: '' })).toBe('C:\\Program Files\\nodejs\\npm.CMD');
  });
});
