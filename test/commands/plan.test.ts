import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runPlan } from '../../src/commands/plan.ts';
import { summarisePlan } from '../../src/commands/plan-summary.ts';
import { formatPlan } from '../../src/commands/plan-table.ts';
import { planSweep } from '../../src/plan/plan.ts';
import { facts, loaded, meta, metas } from '../plan/fixtures.ts';
import { capture, plain } from './capture.ts';

const folder = mkdtempSync(join(tmpdir(), 'ortbench-plan-'));
afterAll(() => rmSync(folder, { recursive: true }));

function config(text: string): string {
  const path = join(folder, 'sweep.yaml');
  writeFileSync(
    path,
    `models: [llama-nano]\nengines: [fake]\nprecisions: [fp32, fp16]\npromptLengths: [8]\n${text}`,
  );
  return path;
}

describe('runPlan', () => {
  it('prints the cells, which are not run and why, and the totals', async () => {
    const { code, stdout } = await capture(() => runPlan(config('batchSizes: [1, 4]\ngenerate: 16\n'), {}));
    expect(code).toBe(0);
    const text = plain(stdout);
    expect(text).toContain('llama-nano on cpu, 16 tokens generated per sequence');
    expect(text).toMatch(/1 │ {6}8 │ fp32 +│ fake +│ planned +│ [\d.]+ MiB/);
    expect(text).toContain('unsupported [1]');
    expect(text).toContain('[1] unsupported, 2 cells: the fake engine has no fp16');
    expect(text).toContain('2 of 4 cells will run (2 unsupported)');
  });

  it('gives scripts every cell, whatever is shown', async () => {
    const sizes = Array.from({ length: 250 }, (_, i) => i + 1).join(', ');
    const path = config(`batchSizes: [${sizes}]\ngenerate: 16\n`);
    const json = JSON.parse((await capture(() => runPlan(path, { json: true }))).stdout);
    expect(json.cells).toHaveLength(500);
    expect(json).toMatchObject({
      counts: { planned: 250, unsupported: 250 },
      blocks: [{ sessions: 1, cells: 250 }],
    });
    expect(json.cells[0]).toMatchObject({
      key: 'llama-nano/fake/fp32/cpu/b1/p8/g16',
      status: 'planned',
      reason: null,
    });
    const { stdout } = await capture(() => runPlan(path, {}));
    expect(plain(stdout)).toContain('… and 300 more cells; --json lists all');
  });

  it('says unasked that a device is not there, and plans for one that is', async () => {
    const planOn = async (engineOptions: string) => {
      const path = config(`batchSizes: [1]\ngenerate: 16\ndevice: webgpu\n${engineOptions}`);
      return JSON.parse((await capture(() => runPlan(path, { json: true }))).stdout);
    };
    expect((await planOn('')).cells[0]).toMatchObject({
      status: 'unavailable',
      reason: 'the fake engine finds no webgpu device; to mend: name webgpu in its option devices',
    });
    const { cells } = await planOn('engineOptions: { fake: { devices: [webgpu] } }\n');
    expect(cells[0]).toMatchObject({ status: 'planned', key: 'llama-nano/fake/fp32/webgpu/b1/p8/g16' });
  });

  it('applies --only and asks engines on request', async () => {
    const path = config('batchSizes: [1, 4]\ngenerate: 16\ndevice: cpu\n');
    const options = { only: ['batchSize=4', 'precision=fp32'], probe: true, json: true };
    const json = JSON.parse((await capture(() => runPlan(path, options))).stdout);
    expect(json.counts).toEqual({ planned: 1, skipped: 3, unsupported: 0, unavailable: 0 });
  });
});

describe('what sessions share', () => {
  const sweep = loaded({ engines: ['a', 'b'], batchSizes: [1, 4] });
  const known = metas(meta('a'), meta('b'));
  const summarise = (memoryMiB: number) => {
    const given = { ...facts, memoryMiB };
    const plan = planSweep(sweep, known, given);
    const summary = summarisePlan(sweep, plan, known, given);
    return { summary, text: plain(formatPlan(sweep, plan, summary, given)) };
  };

  it('stays loaded where it fits', () => {
    const { summary, text } = summarise(16_000);
    expect(summary.blocks).toMatchObject([
      { cells: 4, sessions: 2, comparisons: 2, residency: 'together', reloadSeconds: 0 },
    ]);
    expect(text).toContain('2 sessions of m on cpu, fp32, stay loaded together');
  });

  it('is loaded anew in each round where it does not, and that is in the total', () => {
    const enough = summarise(16_000).summary;
    const { summary, text } = summarise(enough.blocks[0]!.together.hostMiB * 0.9);
    expect(summary.counts.planned).toBe(4);
    expect(summary.blocks[0]!.residency).toBe('one-by-one');
    expect(summary.blocks[0]!.reloadSeconds).toBeGreaterThan(0);
    expect(summary.seconds).toBeCloseTo(enough.seconds + summary.blocks[0]!.reloadSeconds, 6);
    const { roundSeconds, apartSeconds } = summary.blocks[0]!;
    expect(roundSeconds).toBeGreaterThan(0);
    // What is gained: in six rounds, engines of one round lie nearer together than engines that run one after another.
    expect(roundSeconds).toBeLessThan(apartSeconds);
    expect(text).toMatch(
      /do not fit together \(about .*\): loaded anew in each of 6 rounds\. Costs about .* more; gains rounds .* within .* apart/,
    );
  });
});
