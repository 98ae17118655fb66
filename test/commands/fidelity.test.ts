import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runDoctor } from '../../src/commands/doctor.ts';
import { type FidelityOptions, runFidelity } from '../../src/commands/fidelity.ts';
import { EXIT } from '../../src/exit-codes.ts';
import type { FidelityRow } from '../../src/fidelity/row.ts';
import * as load from '../../src/machine/load.ts';
import { capture } from './capture.ts';

const folder = mkdtempSync(join(tmpdir(), 'ortbench-fidelity-'));
afterAll(() => rmSync(folder, { recursive: true }));

let progress = '';
let otherLoad = 0;
beforeEach(() => {
  progress = '';
  otherLoad = 0;
  vi.stubEnv('ORTBENCH_CACHE', join(folder, 'cache'));
  vi.spyOn(load, 'watchOtherLoad').mockImplementation(() => () => otherLoad);
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    progress += String(chunk);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

interface Entry {
  tools: { tool: string; bar: number | null }[];
  [field: string]: unknown;
}

/** A declaration of comparisons of the fake engine; JSON is YAML. */
function cells(...entries: Entry[]): string {
  const common = { engine: 'fake', options: { prefillMsPerToken: 0.5, stepMs: 1 }, models: ['llama-nano'] };
  const shapes = { weights: ['fp32'], batchSizes: [1], promptLengths: [8], generate: 5 };
  const comparisons = entries.map((entry) => ({ ...common, ...shapes, ...entry }));
  const path = join(folder, 'cells.json.yaml');
  writeFileSync(path, JSON.stringify({ rounds: 6, minTimedSeconds: 0, comparisons }));
  return path;
}

async function run(options: FidelityOptions): Promise<{ code: number; rows: FidelityRow[] }> {
  const { code, stdout } = await capture(() => runFidelity({ ...options, json: true }));
  return { code, rows: JSON.parse(stdout) };
}

describe('runFidelity', () => {
  // A machine that is held up for seconds may hide an eightfold difference once, not three times.
  it('says how much faster the driver is than the tool, with an interval over rounds', {
    retry: 2,
  }, async () => {
    const { code, rows } = await run({ cells: cells({ tools: [{ tool: 'slower', bar: 0.97 }] }) });
    expect(code).toBe(EXIT.ok);
    expect(rows.map(({ phase }) => phase)).toEqual(['prefill', 'decode']);
    for (const row of rows) {
      expect(row).toMatchObject({
        engine: 'fake',
        tool: 'fake tool, slower',
        model: 'llama-nano',
        precision: 'fp32',
      });
      expect(row).toMatchObject({
        batchSize: 1,
        promptLength: 8,
        rounds: 6,
        bar: 0.97,
        verdict: 'met',
        sameTokens: true,
      });
      // Scripted: 4 to 0.5 ms a token, 8 to 1 ms a step; on a busy machine both take longer.
      expect(row.ratio).toBeGreaterThan(1);
      expect(row.low!).toBeLessThanOrEqual(row.ratio);
      expect(row.high!).toBeGreaterThanOrEqual(row.ratio);
    }
    // Nothing is faster than its script.
    expect(rows.map(({ driverRate }) => driverRate <= 2000)).toEqual([true, true]);
    expect(rows.map(({ toolRate }) => toolRate)).toSatisfy(
      ([prefill, decode]: number[]) => prefill! <= 250 && prefill! > 1 && decode! <= 125 && decode! > 1,
    );
  });

  it('ends with 1 where a bar is missed', async () => {
    const slow = { build: 'slow', options: {}, name: 'slow driver' };
    const { code, rows } = await run({ cells: cells({ ...slow, tools: [{ tool: 'slower', bar: 100 }] }) });
    expect(code).toBe(EXIT.regression);
    expect(rows.map(({ engine, verdict }) => [engine, verdict])).toEqual([
      ['slow driver', 'missed'],
      ['slow driver', 'missed'],
    ]);
  });

  it('gives more rounds, of which all count, to the cells that do not meet a bar', async () => {
    const entry = { tools: [{ tool: 'slower', bar: 100 }], generate: 5 };
    const open = cells(entry);
    const declared = JSON.parse(readFileSync(open, 'utf8'));
    const more = join(folder, 'more.yaml');
    writeFileSync(more, JSON.stringify({ ...declared, sittings: 2, moreRounds: 3 }));
    const missed = await run({ cells: more, rounds: '2' });
    expect(missed.rows.map(({ rounds, verdict }) => [rounds, verdict])).toEqual([
      [5, 'undecided'],
      [5, 'undecided'],
    ]);
    declared.comparisons[0].tools[0].bar = 0.001;
    writeFileSync(more, JSON.stringify({ ...declared, sittings: 2, moreRounds: 3 }));
    const met = await run({ cells: more, rounds: '2' });
    expect(met.rows.map(({ rounds, verdict }) => [rounds, verdict])).toEqual([
      [2, 'met'],
      [2, 'met'],
    ]);
  });

  it('goes on without a tool that fails or is not there, and ends with 4', async () => {
    const tools = ['failing', 'program', 'slower'].map((tool) => ({ tool, bar: null }));
    const { code, rows } = await run({ cells: cells({ tools, batchSizes: [1, 2] }), rounds: '2' });
    expect(code).toBe(EXIT.infrastructure);
    expect(rows.map(({ tool, batchSize }) => `${tool} ${batchSize}`)).toEqual(
      [1, 1, 2, 2].map((batch) => `fake tool, slower ${batch}`),
    );
    expect(rows.every(({ low, high, rounds }) => low === null && high === null && rounds === 2)).toBe(true);
    expect(progress).toContain(
      'not measured: fake llama-nano fp32 with fake program: scripted: the tool is not there',
    );
    expect(progress).toMatch(/not measured: fake llama-nano fp32 b1 p8 with fake tool, failing: /);
    // What a tool is not made for is no failure.
    expect(progress).not.toContain('one sequence only');
  });

  it('compares with a program, in a weight format of its own, and applies no bar to another build', async () => {
    const tools = [{ tool: 'program', bar: 0.97 }];
    const declared = cells({ tools, weights: ['int2'] }, { tools, name: 'another', weights: ['int4'] });
    const { code, rows } = await run({ cells: declared, tools: [folder], rounds: '6' });
    expect(code).toBe(EXIT.regression);
    expect(rows.map(({ verdict }) => verdict)).toEqual(['missed', 'missed', null, null]);
    expect(rows[2]!.notes).toEqual(['scripted: another build']);
    expect(rows.every(({ sameTokens }) => sameTokens === null)).toBe(true);
    expect(rows.map(({ precision }) => precision)).toEqual(['int2', 'int2', 'int4', 'int4']);
  });

  it('refuses a busy machine, or marks what it measured on one', async () => {
    otherLoad = 0.8;
    const declared = cells({ tools: [{ tool: 'slower', bar: 0.97 }] });
    await expect(runFidelity({ cells: declared })).rejects.toThrow('other processes keep 0.80 cores busy');
    const { code, rows } = await run({ cells: declared, busy: true });
    expect(code).toBe(EXIT.inconclusive);
    expect(rows[0]!.otherLoadCores).toBe(0.8);
    expect(progress).toContain('busy machine: 0.800 cores');
  });

  it('writes a page, and keeps what other comparisons measured before', async () => {
    const [first, second] = ['first', 'second'].map((name) => ({
      name,
      tools: [{ tool: 'slower', bar: 0.97 }],
    }));
    const declared = cells(first!, second!);
    const write = join(folder, 'docs');
    await run({ cells: declared, engine: ['first'], rounds: '1', write });
    const page = () => readFileSync(join(write, 'fidelity.md'), 'utf8');
    expect(page()).toMatch(
      /## first[^#]*Measured on \d{4}-\d\d-\d\d: [^#]*\| fake tool, slower \| llama-nano \| fp32 \| 1 \| 8 \|/,
    );
    expect(page()).toMatch(/## second[^#]*Not measured yet/);
    await run({ cells: declared, engine: ['second'], rounds: '1', write });
    expect(page()).toMatch(/## first[^#]*Measured on/);
    expect(page()).toMatch(/## second[^#]*Measured on/);
  });

  it('refuses what is no number of rounds', async () => {
    await expect(runFidelity({ rounds: '0' })).rejects.toThrow('--rounds 0: a whole number from 1 is needed');
  });
});

describe('runDoctor', () => {
  it('runs it for --fidelity, and refuses its options otherwise', async () => {
    const declared = cells({ tools: [{ tool: 'slower', bar: 0.5 }] });
    const { code, stdout } = await capture(() => runDoctor({ fidelity: true, cells: declared, rounds: '1' }));
    expect(code).toBe(EXIT.ok);
    expect(stdout).toMatch(
      /^fake fp32 b1 p8 prefill: [\d.]+× \[no interval\] of fake tool, slower, bar 0.5: met$/m,
    );
    await expect(runDoctor({ rounds: '2' })).rejects.toThrow('--rounds goes with --fidelity only');
  });
});
