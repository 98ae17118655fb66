import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { findSystemPython } from '../../src/python/interpreter.ts';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ortbench-terminal-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A person at a terminal: waits for each text, then types. Python has pseudo-terminals in its standard library. */
const TYPIST = `
import fcntl, json, os, pty, select, struct, sys, termios, time
talk, argv, folder = json.loads(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    # A terminal of no width breaks every line after each letter.
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 120, 0, 0))
    os.chdir(folder)
    os.environ.update(TERM="xterm", COLUMNS="120", LINES="50", NO_COLOR="1")
    os.execv(argv[0], argv)
seen, start, deadline = "", 0, time.time() + 60
def read():
    global seen
    if time.time() > deadline: sys.exit("waited too long; seen: " + seen[-2000:])
    if not select.select([fd], [], [], 0.2)[0]: return True
    try: data = os.read(fd, 65536)
    except OSError: return False
    seen += data.decode("utf-8", "replace")
    return bool(data)
for wait, keys in talk:
    while wait not in seen[start:]:
        if not read(): sys.exit("ended before " + wait + "; seen: " + seen[-2000:])
    start = len(seen)
    time.sleep(0.1)
    os.write(fd, keys.encode())
while read(): pass
_, status = os.waitpid(pid, 0)
print(json.dumps({"code": os.waitstatus_to_exitcode(status), "seen": seen}))
`;

async function type(talk: readonly (readonly [wait: string, keys: string])[], ...args: string[]) {
  const { file } = (await findSystemPython())!;
  const input = JSON.stringify([talk, [process.execPath, cli, ...args], folder]);
  const { stdout, stderr } = spawnSync(file, ['-c', TYPIST, input], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as { code: number; seen: string };
}

const ENTER = '\r';
const NUMBERS = ['--batch-sizes', '1', '--prompt-lengths', '8', '--generate', '4'];

it('asks on a terminal, shows what is there, and writes what was answered', { timeout: 90_000 }, async () => {
  const talk = [
    ['Which engines?', ENTER],
    ['Which precisions?', ENTER],
    ['Batch sizes', `1, 2${ENTER}`],
    ['Tokens generated', `16${ENTER}`],
    ['Prompt lengths', ENTER],
    ['Into which file?', `asked.yaml${ENTER}`],
  ] as const;
  const { code, seen } = await type(
    talk,
    'new',
    'llama-nano',
    '--device',
    'cpu',
    '--baseline',
    'onnxruntime',
  );
  expect(code, seen).toBe(0);
  expect(seen).toContain('ready');
  expect(seen).toContain('cells would run here');
  const text = readFileSync(join(folder, 'asked.yaml'), 'utf8');
  expect(text).toMatch(/^batchSizes: \[1, 2\]$/m);
  expect(text).toMatch(/^generate: 16$/m);
  expect(text).toMatch(/^engines: \[.*onnxruntime/m);
});

it('writes nothing after Ctrl-C', { timeout: 90_000 }, async () => {
  const { code, seen } = await type(
    [['Which engines?', '\u0003']],
    'new',
    'llama-nano',
    '--out',
    'not.yaml',
    '--device',
    'cpu',
  );
  expect(code, seen).toBe(130);
  expect(() => readFileSync(join(folder, 'not.yaml'))).toThrow('ENOENT');
});

it('asks before it writes over a file; no is the default', { timeout: 90_000 }, async () => {
  writeFileSync(join(folder, 'mine.yaml'), 'kept');
  const args = [
    'new',
    'llama-nano',
    '--device',
    'cpu',
    '--engine',
    'onnxruntime',
    '--precision',
    'fp32',
    '--out',
    'mine.yaml',
  ];
  const { code, seen } = await type([['Write over it?', ENTER]], ...args, ...NUMBERS);
  expect(code, seen).toBe(2);
  expect(readFileSync(join(folder, 'mine.yaml'), 'utf8')).toBe('kept');
  expect((await type([['Write over it?', 'y']], ...args, ...NUMBERS)).code).toBe(0);
  expect(readFileSync(join(folder, 'mine.yaml'), 'utf8')).toContain('yaml-language-server');
});
