import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { groupFiles } from '../../src/machine/oom.ts';
import { lackingMemory, Room } from '../../src/runner/room.ts';
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
    const growing = new Room({ freeMiB: () => free, ownMiB: () => 1 }, 'cpu');
    expect(await growing.waitFor([{ hostMiB: 400, deviceMiB: null }])).toEqual({
      hostMiB: 500,
      deviceMiB: null,
    });
    const steady = new Room({ freeMiB: () => 300, ownMiB: () => 1 }, 'cpu');
    expect(await steady.waitFor([{ hostMiB: 200, deviceMiB: null }])).toEqual({
      hostMiB: 300,
      deviceMiB: null,
    });
  });

  it('waits for memory of a device too', async () => {
    let free = 100;
    setTimeout(() => {
      free = 8000;
    }, 150);
    const room = new Room({ freeMiB: () => 1000, freeDeviceMiB: async () => free, ownMiB: () => 1 }, 'cuda');
    expect(await room.waitFor([{ hostMiB: 10, deviceMiB: 4000 }])).toEqual({
      hostMiB: 1000,
      deviceMiB: 8000,
    });
  });

  it('says what a session lacks: in the host, on the device, or in the memory that both share', () => {
    const needed = { hostMiB: 300, deviceMiB: 500 };
    expect(lackingMemory(needed, { hostMiB: 300, deviceMiB: 500 })).toBeNull();
    expect(lackingMemory(needed, { hostMiB: 299, deviceMiB: 500 })).toBe(
      'would need about 300 MiB of memory; only 299 MiB was free',
    );
    expect(lackingMemory(needed, { hostMiB: 300, deviceMiB: 499 })).toBe(
      "would need about 500 MiB of the device's memory; only 499 MiB was free",
    );
    expect(lackingMemory(needed, { hostMiB: 800, deviceMiB: null })).toBeNull();
    expect(lackingMemory(needed, { hostMiB: 799, deviceMiB: null })).toContain('about 800 MiB of memory');
    expect(lackingMemory({ hostMiB: 300, deviceMiB: null }, { hostMiB: 300, deviceMiB: null })).toBeNull();
  });

  it('is back at its baseline, or what remains is told', async () => {
    let [own, free] = [100, 8000];
    const room = new Room(
      { freeMiB: () => 1000, freeDeviceMiB: async () => free, ownMiB: () => own },
      'cuda',
    );
    await room.waitFor([{ hostMiB: 1, deviceMiB: 1 }]);
    [own, free] = [400, 3000];
    setTimeout(() => {
      own = 110;
    }, 150);
    setTimeout(() => {
      // A driver's context stays as long as the process lives.
      free = 7500;
    }, 300);
    expect(await room.leftOver()).toBeNull();
    [own, free] = [900, 3000];
    expect(await room.leftOver()).toBe("800 MiB of memory and 4.88 GiB of the device's memory");
  });
});
