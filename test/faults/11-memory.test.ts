import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { groupFiles } from '../../src/machine/oom.ts';
import { Room } from '../../src/runner/room.ts';
import { outcomesOf, variant, Workplace } from '../fixtures/workplace.ts';

const ARGS = ['sweep', 'run.yaml', '--out', 'out', '--no-parity'];
const LIMIT_MIB = 500;

/** A control group with a memory limit, of either version; null where none can be made here. */
function limitedGroup(): { procs: string; remove(): void } | null {
  const name = `ortbench-test-${process.pid}`;
  for (const [base, limit] of [
    ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes'],
    ['/sys/fs/cgroup', 'memory.max'],
  ] as const) {
    const group = join(base, name);
    try {
      if (!existsSync(join(base, 'cgroup.procs'))) continue;
      mkdirSync(group);
      try {
        writeFileSync(join(group, limit), String(LIMIT_MIB * 2 ** 20));
        return { procs: join(group, 'cgroup.procs'), remove: () => rmdirSync(group) };
      } catch {
        rmdirSync(group);
      }
    } catch {
      // Not root, or a sandbox.
    }
  }
  return null;
}

const canLimit = (() => {
  const group = limitedGroup();
  group?.remove();
  return group !== null;
})();

describe.each(['process', 'in-process'])(
  '11: the kernel ends an engine for memory, engines run %s',
  (isolation) => {
    it.skipIf(!canLimit)(
      'is oom with the evidence; larger cells are skipped; the others run',
      { timeout: 120_000 },
      async () => {
        const place = new Workplace();
        place.config('run.yaml', {
          isolation,
          batchSizes: [1, 2, 4],
          engines: [variant('hungry', { fault: 'eats-memory', faultFromBatch: 2 }), variant('sound')],
        });
        const group = limitedGroup()!;
        try {
          // Into the group by a process that then becomes the program.
          const enter = 'echo $$ > "$0" && exec "$@"';
          const cli = join(import.meta.dirname, '../../dist/cli.js');
          const { status, stderr } = spawnSync(
            'sh',
            ['-c', enter, group.procs, process.execPath, cli, ...ARGS],
            {
              cwd: place.dir,
              env: { ...process.env, CI: '1', NO_COLOR: '1', TMPDIR: place.dir },
              encoding: 'utf8',
            },
          );
          expect(status, stderr).toBe(4);
          expect(await place.statuses()).toEqual({
            'hungry/b1': 'ok',
            'hungry/b2': 'oom',
            'hungry/b4': 'skipped',
            'sound/b1': 'ok',
            'sound/b2': 'ok',
            'sound/b4': 'ok',
          });
          const { records } = await place.results();
          const reasons = outcomesOf(records).map(({ reason }) => reason ?? '');
          expect(reasons.join()).toMatch(/count of OOM kills in its control group went from \d+ to \d+/);
          expect(reasons.join()).toContain('a smaller cell of the same kind ran out of memory');
          await place.expectNothingLeft();
        } finally {
          group.remove();
        }
      },
    );

    it.skipIf(process.platform === 'win32')(
      'is killed, and not oom, where anybody else may have sent the signal',
      async () => {
        const place = new Workplace();
        place.config('run.yaml', {
          isolation: 'process',
          batchSizes: [1],
          engines: [variant('victim', { fault: 'hang' })],
          measureMemory: false,
        });
        const running = place.run(ARGS);
        for (let waited = 0; waited < 10_000; waited += 50) {
          const [host] = place.processes().filter((line) => line.includes('host.js'));
          if (host !== undefined) {
            await new Promise((resolve) => setTimeout(resolve, 600));
            execFileSync('kill', ['-KILL', host.split(' ')[0]!]);
            break;
          }
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        expect((await running).code).toBe(4);
        expect(await place.statuses()).toEqual({ 'victim/b1': 'killed' });
        await place.expectNothingLeft();
      },
    );
  },
);

it('finds the counter of a control group of either version, also from inside a container', () => {
  expect(groupFiles('4:memory:/a/b\n0::/\n').slice(0, 2)).toEqual([
    '/sys/fs/cgroup/memory/a/b/memory.oom_control',
    '/sys/fs/cgroup/memory/memory.oom_control',
  ]);
  expect(groupFiles('0::/user.slice/x\n')[0]).toBe('/sys/fs/cgroup/user.slice/x/memory.events');
  expect(groupFiles('')).toEqual([]);
});

describe('memory before loading', () => {
  it('waits a little for what is still coming back, and then tells what there is', async () => {
    let free = 10;
    setTimeout(() => {
      free = 500;
    }, 150);
    expect(
      await new Room(
        () => free,
        () => 1,
      ).waitFor(400),
    ).toBe(500);
    expect(
      await new Room(
        () => 300,
        () => 1,
      ).waitFor(200),
    ).toBe(300);
  });

  it('is back at its baseline, or what remains is told', async () => {
    let own = 100;
    const room = new Room(
      () => 1000,
      () => own,
    );
    own = 400;
    setTimeout(() => {
      own = 110;
    }, 150);
    expect(await room.leftOver()).toBe(0);
    own = 900;
    expect(await room.leftOver()).toBe(800);
  });
});
