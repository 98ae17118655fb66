import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pathOf } from '../corpus/corpus.ts';
import { HostilePlace } from './workplace.ts';

const place = new HostilePlace();
afterAll(() => place.remove());

const MIB = 2 ** 20;
const list = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
const bomb = [
  'a0: &a0 [x, x, x, x, x, x, x, x, x]',
  ...list(9).map(
    (i) =>
      `a${i}: &a${i} [${Array(9)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
  ),
].join('\n');
const plain =
  'models: [llama-nano]\nengines: [fake]\nprecisions: [fp32]\nbatchSizes: [1]\npromptLengths: [8]\n';

/** Printed by a hook at the end: starting Node and reading its modules are part of it. */
const hook = `data:text/javascript,${encodeURIComponent(
  'process.on("exit", () => { const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage(); console.error("used", (userCPUTime + systemCPUTime) / 1e6, maxRSS); })',
)}`;

/** What the command costs here before it reads a file: machines differ by a factor of two in it. */
let startSeconds: number;
beforeAll(async () => {
  startSeconds = used((await place.run(['sweep', 'missing.yaml'], {}, ['--import', hook])).stderr).seconds;
});

function used(stderr: string): { seconds: number; mib: number } {
  const [, seconds, kib] = /used ([\d.]+) (\d+)/.exec(stderr)!;
  return { seconds: Number(seconds), mib: Number(kib) / 1024 };
}

test.each<[string, string, RegExp]>([
  ['an alias bomb', bomb, /hostile\.yaml:\d+:\d+: .*alias/i],
  ['a file of 10 MB', `title: ${'x'.repeat(10 * MIB)}`, /hostile\.yaml:1:1: .*larger than 1 MiB/],
  [
    'a sweep of 10⁹ cells',
    readFileSync(pathOf('sweeps', 'cells-1e9.yaml'), 'utf8'),
    /hostile\.yaml:\d+:\d+: .*= 1001600640 cells/,
  ],
  ['a duplicate key', `${plain}models: [phi-nano]\n`, /hostile\.yaml:6:1: .*given twice/],
  ['an unknown key', `${plain}shell: true\n`, /hostile\.yaml:6:1: shell: unknown key/],
  ['__proto__', `${plain}__proto__: {polluted: true}\n`, /hostile\.yaml:6:1: .*__proto__.*not allowed/],
  [
    '__proto__ in options',
    `${plain}engineOptions: {fake: {__proto__: {a: 1}}}\n`,
    /hostile\.yaml:6:\d+: .*__proto__/,
  ],
])(
  '%s: exit 2 in under a second of processor time beyond the start of the command, with line and column',
  {
    // Who shares a core's caches can make it longer for once, and never shorter.
    retry: 3,
  },
  async (_, content, problem) => {
    place.write('hostile.yaml', content);
    const { code, stdout, stderr } = await place.run(['sweep', 'hostile.yaml'], {}, ['--import', hook]);
    expect(code, stderr).toBe(2);
    expect(stderr).toMatch(problem);
    expect(stdout).toBe('');
    expect(used(stderr).seconds - startSeconds).toBeLessThan(1);
    expect(used(stderr).mib).toBeLessThan(300);
    expect(place.files().map(({ path }) => path)).toEqual(['hostile.yaml']);
  },
);
