// SPDX-License-Identifier: MIT
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import tty from 'node:tty';
import { findProgram } from './windows-program.js';

type NotStarted = { started: false; exitCode: 126 | 127 | 125; message: string; hint: string };

/**
 * What became of the command. A started one has an exit code or the signal that ended it; one that
 * did not start has the code a shell would give: 127 not found, 126 not executable, 125 anything else.
 */
export type ChildOutcome = { started: true; exitCode?: number; signal?: NodeJS.Signals } | NotStarted;

const FORWARDED: NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'];
const FROM_KEYBOARD: NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];
// A Windows console sends these to every process attached to it; the child needs no second copy.
const FROM_CONSOLE: NodeJS.Signals[] = ['SIGINT', 'SIGBREAK'];

/**
 * Runs a command on our own stdin, stdout and stderr and waits for it to end. With `childStdout: 'stderr'`
 * its standard output goes to our stderr. While it runs, signals sent to us are passed on and do not end
 * us: the child decides. Afterwards none of our listeners is left. Never rejects for a command that does
 * not start; that is an outcome with `started: false`.
 */
export function runChild(
  argv: string[],
  options: { childStdout: 'inherit' | 'stderr' },
): Promise<ChildOutcome> {
  const [command = '', ...args] = argv;
  if (command === '') {
    return Promise.resolve(notStarted(125, 'There is no command to run.', 'Put one after --.'));
  }
  // Opening a pipe makes it non-blocking for all who share it, which breaks children; spawning makes it
  // blocking again. So ours are opened before the child starts, never while it runs.
  void process.stdout;
  void process.stderr;

  return new Promise((resolve) => {
    let send: (signal: NodeJS.Signals) => void = () => {};
    const stopListening = listen((signal) => send(signal));
    const settle = (outcome: ChildOutcome): void => {
      stopListening();
      resolve(outcome);
    };
    try {
      const stdout = options.childStdout === 'stderr' ? 2 : 'inherit';
      const child = starter(command)(command, args, { stdio: ['inherit', stdout, 'inherit'] });
      send = (signal) => child.kill(signal);
      child.on('error', (error) => {
        // A signal we may not deliver (the child runs as another user) comes here too, and changes nothing.
        if (child.pid === undefined) settle(explain(argv, error));
      });
      child.on('exit', (exitCode, signal) => {
        settle(signal === null ? { started: true, exitCode: exitCode ?? 0 } : { started: true, signal });
      });
    } catch (error) {
      settle(explain(argv, error as NodeJS.ErrnoException));
    }
  });
}

/** Windows itself starts programs alone: npm, npx and all that packages install are batch files, for its shell. */
function starter(command: string): typeof spawn {
  if (process.platform !== 'win32') return spawn;
  const file = findProgram(command);
  // The shell would start, and fail by an exit code that could be the command's own.
  if (file === undefined) throw Object.assign(new Error(`${command} was not found`), { code: 'ENOENT' });
  if (/\.(exe|com)$/i.test(file)) return spawn;
  return createRequire(import.meta.url)('cross-spawn') as typeof spawn;
}

/** Installs the listener that keeps us alive and passes signals on; returns what removes it. */
function listen(send: (signal: NodeJS.Signals) => void): () => void {
  const onWindows = process.platform === 'win32';
  const signals = onWindows ? FROM_CONSOLE : [...FORWARDED, ...FROM_KEYBOARD];
  const listener = (signal: NodeJS.Signals): void => {
    // The foreground is looked up each time: the shell moves jobs in and out of it.
    if (onWindows || (FROM_KEYBOARD.includes(signal) && isInForeground())) return;
    send(signal);
  };
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}

/** Whether a key such as Ctrl-C reaches the child without us, being sent to our whole process group. */
function isInForeground(): boolean {
  if (process.platform === 'linux') {
    try {
      return isForegroundStat(readFileSync('/proc/self/stat', 'latin1'));
    } catch {
      // No procfs: the next best answer.
    }
  }
  // Not process.stdin.isTTY, which would open stdin under the child's hands.
  return tty.isatty(0);
}

/** @internal Whether a line of /proc/PID/stat is of a process in its terminal's foreground group. */
export function isForegroundStat(stat: string): boolean {
  // The name in parentheses may hold spaces and parentheses itself.
  const [, , group, , terminal, foregroundGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return terminal !== undefined && terminal !== '0' && group === foregroundGroup;
}

function notStarted(exitCode: NotStarted['exitCode'], message: string, hint: string): NotStarted {
  return { started: false, exitCode, message, hint };
}

/** Puts what spawn reports, often ENOENT or EACCES for several causes, into words. */
function explain(argv: string[], error: NodeJS.ErrnoException): NotStarted {
  const [command = ''] = argv;
  const code = error.code ?? '';
  const file = locate(command);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return file === undefined ? explainMissing(argv, command) : explainInterpreter(file);
  }
  if (!['EACCES', 'EPERM', 'EISDIR', 'ENOEXEC'].includes(code)) {
    const hint = 'Check the command line, and the limits on processes and open files (ulimit -a).';
    return notStarted(125, `Could not start "${command}": ${error.message}.`, hint);
  }
  if (file === undefined) {
    // One unreadable folder in PATH turns every misspelt name into EACCES.
    if (!isPath(command)) return explainMissing(argv, command);
    const hint = 'Check the permissions of the folders on its path.';
    return notStarted(126, `Not allowed to reach "${command}".`, hint);
  }
  if (isDirectory(file)) {
    return notStarted(126, `"${file}" is a directory, not a command.`, 'Name the program inside it.');
  }
  if (code !== 'ENOEXEC' && !isExecutable(file)) {
    const hint = `Run chmod +x ${file}, or run it through its interpreter (for example sh, node or python3).`;
    return notStarted(126, `"${file}" is not executable.`, hint);
  }
  const hint =
    code === 'ENOEXEC'
      ? 'Run it through its interpreter (for example sh, node or python3), or get a build for this machine.'
      : 'Check that its interpreter is executable and that its file system is not mounted noexec.';
  return notStarted(126, `The system refused to execute "${file}" (${code}).`, hint);
}

function explainMissing(argv: string[], command: string): NotStarted {
  if (!path.isAbsolute(command) && !workingDirectoryExists()) {
    const message = `Could not start "${command}": the working directory no longer exists.`;
    return notStarted(125, message, 'Change to a folder that exists and run it again.');
  }
  if (argv.length === 1 && /\s/.test(command)) {
    const shell = process.platform === 'win32' ? `cmd /c "${command}"` : `sh -c '${command}'`;
    const hint = `Give the command and its arguments as separate words, or to a shell: ${shell}.`;
    return notStarted(127, `Command not found: "${command}".`, hint);
  }
  if (isPath(command))
    return notStarted(127, `There is no file "${command}".`, 'Check the spelling of the path.');
  const hint = existsSync(command)
    ? `There is a file of that name in this folder; to run that one, write .${path.sep}${command}.`
    : 'Check the spelling, and that its folder is in PATH.';
  return notStarted(127, `Command not found: "${command}".`, hint);
}

/** The file is there, so what is missing is the program that should load it. */
function explainInterpreter(file: string): NotStarted {
  const interpreter = /^#![ \t]*([^ \t\n]+)/.exec(attempt(() => readFileSync(file, 'latin1')) ?? '')?.[1];
  if (interpreter === undefined) {
    const message = `"${file}" exists, but the loader or a part that it needs does not.`;
    return notStarted(127, message, 'It was probably built for another system or C library.');
  }
  const name = interpreter.replace(/\r$/, '');
  const hint =
    name === interpreter
      ? `Install ${name}, correct the first line, or run the script through its interpreter.`
      : 'Its lines end as on Windows (CR LF); save it with LF line ends.';
  return notStarted(127, `"${file}" exists, but its interpreter "${name}" was not found.`, hint);
}

const isPath = (command: string): boolean => command.includes('/') || command.includes(path.sep);
const isDirectory = (file: string): boolean => attempt(() => statSync(file).isDirectory()) ?? false;
const isExecutable = (file: string): boolean =>
  attempt(() => accessSync(file, constants.X_OK) === undefined) ?? false;
// process.cwd() remembers its answer, hence the look at the disk.
const workingDirectoryExists = (): boolean => attempt(() => existsSync(process.cwd())) ?? false;

/** The first existing file, executable or not, that the command's name leads to. */
function locate(command: string): string | undefined {
  if (isPath(command)) return attempt(() => statSync(command)) && command;
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  return folders.map((folder) => path.join(folder, command)).find((file) => attempt(() => statSync(file)));
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
