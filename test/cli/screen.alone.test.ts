// SPDX-License-Identifier: MIT
//
// The live view on a terminal of its own, which python3's pty gives.
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const NOWHERE = ['--sysfs', '/nonexistent', '--dev', '/nonexistent', '--nvml-library', '/nonexistent'];
const hasPython =
  process.platform === 'linux' && spawnSync('python3', ['-c', 'import pty, termios']).status === 0;

/**
 * Runs a command on a terminal of 80 columns. Steps: a text to wait for, then keys, a signal's name or a size; at its end a
 * line of JSON: how it ended, what it wrote, and whether the terminal's modes are those of before.
 */
const TERMINAL = `
import fcntl, json, os, pty, select, signal, struct, sys, termios, time
steps, argv = json.loads(sys.argv[1]), sys.argv[2:]
pid, fd = pty.fork()
if pid == 0:
    time.sleep(0.2)
    os.execvp(argv[0], argv)
size = lambda rows, columns: fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
size(24, 80)
modes = lambda: termios.tcgetattr(fd)[:4]
before, out, seen = modes(), b'', 0
for wait, act in steps + [[None, None]]:
    while wait is None or wait.encode() not in out[seen:]:
        if not select.select([fd], [], [], 20)[0]:
            os.kill(pid, signal.SIGKILL)
            break
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        out += data
    seen = len(out)
    if act is None:
        continue
    if isinstance(act, list):
        size(*act)
    elif act.startswith('SIG'):
        os.kill(pid, getattr(signal, act))
    else:
        os.write(fd, act.encode())
status = os.waitpid(pid, 0)[1]
print(json.dumps({'code': os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
    'signal': os.WTERMSIG(status) if os.WIFSIGNALED(status) else None, 'out': out.decode('utf8', 'replace'),
    'same': modes() == before}))
`;

type Act = string | [rows: number, columns: number];
interface Ended {
  code: number | null;
  signal: number | null;
  out: string;
  same: boolean;
}

function onTerminal(steps: [wait: string, act: Act][], args: string[]): Promise<Ended> {
  const child = spawn('python3', ['-c', TERMINAL, JSON.stringify(steps), process.execPath, MAIN, ...args], {
    env: { ...process.env, TERM: 'xterm-256color' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  let problem = '';
  child.stdout.on('data', (data) => {
    text += data;
  });
  child.stderr.on('data', (data) => {
    problem += data;
  });
  return new Promise((resolve, reject) => {
    child.on('close', () => {
      try {
        resolve(JSON.parse(text));
      } catch {
        reject(new Error(`${problem}${text}`));
      }
    });
  });
}

const MONITOR = ['monitor', ...NOWHERE, '--cpu-watts', '10', '-i', '0.2'];
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';

describe.skipIf(!hasPython)('the live view (needs Linux and python3: apt-get install python3)', () => {
  it.each([
    ['q', 0, null],
    ['\u0003', 0, null],
    ['SIGTERM', null, 15],
    ['SIGHUP', null, 1],
  ])(
    'gives the terminal back as it was at %j',
    async (act, code, signal) => {
      const ended = await onTerminal([['total', act]], MONITOR);
      expect(ended).toMatchObject({ code, signal, same: true });
      const { out } = ended;
      expect(out.split(ENTER)).toHaveLength(2);
      expect(out.split(LEAVE)).toHaveLength(2);
      expect(out.indexOf(LEAVE)).toBeGreaterThan(out.indexOf(ENTER));
      // What was seen last stays.
      expect(out.slice(out.indexOf(LEAVE))).toContain('total');
    },
    60_000,
  );

  it('gives the terminal back while it is stopped by Ctrl-Z, and goes on', async () => {
    const { out, code, same } = await onTerminal(
      [
        ['total', '\u001a'],
        [LEAVE, 'SIGCONT'],
        [ENTER, 'q'],
      ],
      MONITOR,
    );
    expect({ code, same }).toEqual({ code: 0, same: true });
    expect(out.split(LEAVE)).toHaveLength(3);
  }, 60_000);

  it('is drawn anew when the terminal has another size', async () => {
    const { out, code } = await onTerminal(
      [
        ['total', [10, 40]],
        ['\u001b[H', [10, 40]],
        ['\u001b[J', 'q'],
      ],
      MONITOR,
    );
    expect(code).toBe(0);
    const frames = out.slice(0, out.indexOf(LEAVE)).split('\u001b[H').slice(1);
    const last = (frames.at(-1) ?? '').split('\u001b[J')[0] ?? '';
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken away
    const lines = last.replace(/\u001b\[[\d;?]*[A-Za-z]/g, '').split(/\r+\n/);
    expect(lines.length).toBeLessThanOrEqual(10);
    expect(lines.filter((line) => line.length > 40)).toEqual([]);
  }, 60_000);

  it('leaves what a command writes to the terminal whole', async () => {
    const script = 'for i in 1 2 3 4 5; do echo "Epoch $i/5"; sleep 1; done';
    const { out, code } = await onTerminal(
      [],
      ['run', ...NOWHERE, '--cpu-watts', '10', '--', 'sh', '-c', script],
    );
    expect(code).toBe(0);
    expect(out.startsWith([1, 2, 3, 4, 5].map((i) => `Epoch ${i}/5\r\n`).join(''))).toBe(true);
  }, 60_000);
});
