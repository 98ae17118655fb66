import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine, EngineSession } from '../../../src/engines/engine.ts';
import { llamacpp } from '../../../src/engines/llamacpp/engine.ts';
import { onnxruntime } from '../../../src/engines/onnxruntime/engine.ts';
import { runnerEnvironment } from '../../../src/engines/python/command.ts';
import { pytorchEager } from '../../../src/engines/pytorch/eager.ts';
import { resolveModel } from '../../../src/models/catalogue.ts';
import { findPythonEnvironment } from '../../../src/python/environment.ts';
import { tolerancesFor, worstOf } from '../../../src/runner/parity/tolerance.ts';
import type { ParityRecord } from '../../../src/schema/record.ts';
import type { Precision } from '../../../src/schema/vocabulary.ts';
import { type Check, PROMPT_LENGTH, Workbench } from '../../fixtures/parity/workbench.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/parity/${name}`, import.meta.url));

/** A mistake in a file, made by corrupt.py: its method and arguments. */
interface Corruption {
  readonly mistake: string;
  readonly engine: Engine;
  readonly fault: readonly (string | number)[];
  readonly precisions: readonly Precision[];
}

const EPSILON = 'norm epsilon 1e-5 for 1e-6';
const BOTH = ['fp32', 'int4'] as const;
const scaleOf = (name: string, matrix: string): Corruption => ({
  mistake: `lost sign of the scales of one int4 row of ${name}`,
  engine: onnxruntime,
  fault: ['scale', matrix, 5],
  precisions: ['int4'],
});
const CORRUPTIONS: readonly Corruption[] = [
  ...[llamacpp, onnxruntime].flatMap((engine): Corruption[] => [
    { mistake: 'two layers swapped', engine, fault: ['swap_layers'], precisions: BOTH },
    { mistake: 'one matrix transposed', engine, fault: ['transpose'], precisions: BOTH },
    { mistake: 'rotary base 5e5 for 1e4', engine, fault: ['rope_base'], precisions: BOTH },
  ]),
  { mistake: EPSILON, engine: onnxruntime, fault: ['epsilon'], precisions: ['fp32'] },
  { mistake: EPSILON, engine: llamacpp, fault: ['epsilon'], precisions: ['fp32'] },
  { mistake: 'Q and K not permuted', engine: llamacpp, fault: ['unpermute'], precisions: BOTH },
  {
    mistake: 'positions off by one',
    engine: onnxruntime,
    fault: ['position', PROMPT_LENGTH],
    precisions: BOTH,
  },
  { mistake: 'mask off by one', engine: onnxruntime, fault: ['mask'], precisions: BOTH },
  scaleOf('layer 0, down', 'model.layers.0.mlp.down_proj.MatMul'),
  scaleOf('layer 1, gate', 'model.layers.1.mlp.gate_proj.MatMul'),
];

/**
 * Wrong scales in one row of every int4 matrix, in rows that no tolerance was chosen by: how many of them are caught is
 * counted, since rows differ in how much depends on them.
 */
const SURVEY_MATRICES = [
  ...[0, 1].flatMap((layer) =>
    ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'].map(
      (name) => `blk.${layer}.${name}.weight`,
    ),
  ),
  'output.weight',
];
const SURVEY_ROWS = [7, 21];
const SURVEY: readonly { mistake: string; arguments: readonly number[] }[] = [
  { mistake: 'sign lost in all blocks of an int4 row', arguments: [-1] },
  { mistake: 'scales doubled in all blocks of an int4 row', arguments: [2] },
  { mistake: 'sign lost in one block of an int4 row', arguments: [-1, 1] },
];
const SURVEYED = SURVEY.flatMap(({ mistake, arguments: rest }) =>
  SURVEY_MATRICES.flatMap((matrix) =>
    SURVEY_ROWS.map(
      (row): Corruption => ({
        mistake,
        engine: llamacpp,
        fault: ['scale', matrix, row, ...rest],
        precisions: ['int4'],
      }),
    ),
  ),
);

/** Mistakes that change logits less than int4 rounding does. The artefact's own constants tell. */
const IN_THE_FILE: readonly Corruption[] = [
  { mistake: EPSILON, engine: llamacpp, fault: ['epsilon'], precisions: ['int4'] },
  { mistake: EPSILON, engine: onnxruntime, fault: ['epsilon'], precisions: ['int4'] },
];
const ALL_CORRUPTIONS = [...CORRUPTIONS, ...IN_THE_FILE, ...SURVEYED];

/** Mistakes in driving the engine: on its own, correct artefact. */
const exchanged = (session: EngineSession): EngineSession => ({
  loaded: session.loaded,
  prepare: (shape) => session.prepare(shape),
  generate: (request) => session.generate(request),
  teacherForce: (request) => session.teacherForce({ ...request, prompts: request.prompts.toReversed() }),
  close: () => session.close(),
});
const padded = (session: EngineSession): EngineSession => ({
  ...exchanged(session),
  teacherForce: (request) => {
    const longest = Math.max(...request.prompts.map((row) => row.length));
    const prompts = request.prompts.map((row) => [...Array<number>(longest - row.length).fill(0), ...row]);
    return session.teacherForce({ ...request, prompts });
  },
});
const WRAPPED: readonly (Omit<Check, 'precision'> & { mistake: string; precisions: readonly Precision[] })[] =
  [
    { mistake: 'batch rows exchanged', engine: onnxruntime, wrap: exchanged, precisions: BOTH },
    { mistake: 'batch rows exchanged', engine: llamacpp, wrap: exchanged, precisions: BOTH },
    {
      mistake: 'padding taken for tokens',
      engine: onnxruntime,
      wrap: padded,
      ragged: true,
      precisions: BOTH,
    },
    { mistake: 'padding taken for tokens', engine: llamacpp, wrap: padded, ragged: true, precisions: BOTH },
  ];
const DRIVEN = [
  { mistake: 'stale KV cache', fault: 'stale-cache', ragged: false },
  { mistake: 'padding attended to', fault: 'attended-padding', ragged: true },
  { mistake: 'positions off by one', fault: 'later-positions', ragged: false },
  { mistake: 'mask off by one', fault: 'unseen-token', ragged: false },
];

const landed: Record<string, unknown>[] = [];
interface Survey extends Record<'tried' | 'found' | 'least' | 'median' | 'most', number> {
  readonly mistake: string;
}
const surveyed: Survey[] = [];
let bench: Workbench;
const corrupted = (i: number, precision: Precision) => join(bench.scratchDir, `bad-${i}-${precision}`);

async function control(mistake: string, check: Check): Promise<ParityRecord> {
  const record = await bench.check(check);
  const { figures, verdict } = record;
  const worst =
    figures && worstOf(figures, tolerancesFor(check.engine.meta, check.precision, bench.activation));
  landed.push({
    mistake,
    engine: check.engine.meta.id,
    precision: check.precision,
    figures,
    ...worst,
    caught: verdict === 'mismatch',
  });
  return record;
}

async function caught(mistake: string, check: Check): Promise<void> {
  const { verdict, reason, figures } = await control(mistake, check);
  expect(verdict, `${mistake}: ${JSON.stringify(figures)}`).toBe('mismatch');
  expect(reason).toMatch(/exceeds|agree/);
}

describe('negative controls of the parity check', () => {
  beforeAll(async () => {
    const model = await resolveModel('llama-nano', '.');
    bench = new Workbench(model, pytorchEager, [pytorchEager, llamacpp, onnxruntime]);
    const jobs = [];
    for (const [i, { engine, fault, precisions }] of ALL_CORRUPTIONS.entries()) {
      for (const precision of precisions) {
        const { artefact: kind } = engine.meta;
        const { dir: from } = await bench.artefact(kind, precision);
        jobs.push({ kind, from, to: corrupted(i, precision), fault });
      }
    }
    const python = (await findPythonEnvironment())!;
    await execa(python, [fixture('corrupt.py')], { input: JSON.stringify(jobs) });
  });

  afterAll(() => {
    const lines = landed.map(
      ({ mistake, engine, precision, times, by }) =>
        `${mistake} (${engine}, ${precision}): ${(times as number)?.toPrecision(3)} times the tolerance of ${by}`,
    );
    console.log([...lines, ...surveyed.map((line) => JSON.stringify(line))].join('\n'));
    const file = process.env.ORTBENCH_CONTROLS_JSON;
    if (file !== undefined) writeFileSync(file, JSON.stringify({ landed, surveyed }));
  });

  for (const engine of [llamacpp, onnxruntime]) {
    it.each(BOTH)(`${engine.meta.id} without a mistake is let through at %s`, async (precision) => {
      expect(await bench.check({ engine, precision })).toMatchObject({ verdict: 'match' });
      expect(await bench.check({ engine, precision, ragged: true })).toMatchObject({ verdict: 'match' });
    });
  }

  for (const [i, { mistake, engine, precisions }] of CORRUPTIONS.entries()) {
    it.each(precisions)(`${mistake}: ${engine.meta.id} is caught at %s`, (precision) =>
      caught(mistake, { engine, precision, artefactDir: corrupted(i, precision) }),
    );
  }

  for (const { mistake, precisions, ...check } of WRAPPED) {
    it.each(precisions)(`${mistake}: ${check.engine.meta.id} is caught at %s`, (precision) =>
      caught(mistake, { ...check, precision }),
    );
  }

  for (const [i, { mistake, engine, precisions }] of IN_THE_FILE.entries()) {
    it.each(precisions)(`${mistake}: ${engine.meta.id} is caught by its file at %s`, async (precision) => {
      const artefactDir = corrupted(CORRUPTIONS.length + i, precision);
      const { verdict, figures } = await control(mistake, { engine, precision, artefactDir });
      const correct = await bench.check({ engine, precision });
      expect(verdict).toBe('match');
      expect(figures, 'the artefact was corrupted').not.toEqual(correct.figures);
      expect(await bench.wrongInFile(engine, precision)).toEqual([]);
      expect(await bench.wrongInFile(engine, precision, artefactDir)).toMatchObject([
        { name: expect.stringContaining('epsilon'), verdict: 'differs' },
      ]);
      landed.at(-1)!.caught = 'by its file';
    });
  }

  it('wrong scales in one row of each int4 matrix are counted', async () => {
    for (const { mistake } of SURVEY) {
      const times: number[] = [];
      let found = 0;
      for (const [i, corruption] of SURVEYED.entries()) {
        if (corruption.mistake !== mistake) continue;
        const artefactDir = corrupted(CORRUPTIONS.length + IN_THE_FILE.length + i, 'int4');
        const { figures, verdict } = await bench.check({ engine: llamacpp, precision: 'int4', artefactDir });
        times.push(worstOf(figures!, tolerancesFor(llamacpp.meta, 'int4', bench.activation)).times);
        if (verdict === 'mismatch') found++;
      }
      times.sort((a, b) => a - b);
      const median = times[Math.floor(times.length / 2)]!;
      surveyed.push({ mistake, tried: times.length, found, least: times[0]!, median, most: times.at(-1)! });
    }
    expect(surveyed.map(({ tried }) => tried)).toEqual([30, 30, 30]);
  });

  it.each(DRIVEN)('$mistake: PyTorch is caught', async ({ mistake, fault, ragged }) => {
    const file = (await findPythonEnvironment())!;
    const command = async () => ({
      file,
      args: [fixture('defective_torch.py'), fault],
      env: runnerEnvironment(),
    });
    const engine: Engine = { ...pytorchEager, drive: { kind: 'runner', command } };
    // A stale cache needs a run before the one that is checked.
    const wrap = (session: EngineSession): EngineSession => ({
      ...exchanged(session),
      teacherForce: async (request) => {
        const prompts = request.prompts.map((row) => row.map((id) => (id + 1) % 500));
        await session.generate({ prompts, generate: 4, capacity: 64, measurePeakMemory: false });
        return session.teacherForce(request);
      },
    });
    await caught(mistake, { engine, precision: 'fp32', ragged, wrap });
  });
});
