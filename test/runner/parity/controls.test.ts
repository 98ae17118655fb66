import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
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
import { PRECISIONS, type Precision } from '../../../src/schema/vocabulary.ts';
import { type Corruption, corrupt } from '../../fixtures/parity/corruption.ts';
import { type Check, PROMPT_LENGTH, Workbench } from '../../fixtures/parity/workbench.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/parity/${name}`, import.meta.url));

const EPSILON = 'norm epsilon 1e-5 for 1e-6';
const BOTH = ['fp32', 'int4'] as const;
const precisionsOf = ({ meta }: Engine) => PRECISIONS.filter((it) => meta.precisions.cpu?.[it] === true);

/** `inFile`: whether `prepare --verify` sees it, too. */
interface FileControl extends Corruption {
  readonly inFile: boolean;
}
const scaleOf = (name: string, matrix: string): FileControl => ({
  mistake: `lost sign of the scales of one int4 row of ${name}`,
  engine: onnxruntime,
  fault: ['scale', matrix, 5],
  precisions: ['int4'],
  inFile: true,
});
const structural = (engine: Engine, precisions = precisionsOf(engine)): FileControl[] => [
  { mistake: 'two layers swapped', engine, fault: ['swap_layers'], precisions, inFile: true },
  { mistake: 'one matrix transposed', engine, fault: ['transpose'], precisions, inFile: true },
  { mistake: 'rotary base 5e5 for 1e4', engine, fault: ['rope_base'], precisions, inFile: true },
];
const epsilon = (engine: Engine, precisions: readonly Precision[]): FileControl => ({
  mistake: EPSILON,
  engine,
  fault: ['epsilon'],
  precisions,
  inFile: true,
});

interface Controls {
  /** Caught by logits. */
  readonly byLogits: readonly FileControl[];
  /** Mistakes that change logits less than rounding does: the artefact's own constants tell. */
  readonly byFile: readonly FileControl[];
}
const CONTROLS: Readonly<Record<string, Controls>> = {
  'llama-nano': {
    byLogits: [
      ...[llamacpp, onnxruntime].flatMap((engine) => structural(engine)),
      epsilon(onnxruntime, ['fp32']),
      epsilon(llamacpp, ['fp32']),
      {
        mistake: 'Q and K not permuted',
        engine: llamacpp,
        fault: ['unpermute'],
        precisions: PRECISIONS,
        inFile: true,
      },
      {
        mistake: 'positions off by one',
        engine: onnxruntime,
        fault: ['position', PROMPT_LENGTH],
        precisions: BOTH,
        inFile: true,
      },
      {
        mistake: 'mask off by one',
        engine: onnxruntime,
        fault: ['mask'],
        precisions: BOTH,
        inFile: false,
      },
      scaleOf('layer 0, down', 'model.layers.0.mlp.down_proj.MatMul'),
      scaleOf('layer 1, gate', 'model.layers.1.mlp.gate_proj.MatMul'),
    ],
    byFile: [epsilon(llamacpp, ['fp16', 'bf16', 'int4']), epsilon(onnxruntime, ['int4'])],
  },
  // Held to the wider fp32 of an activation that llama.cpp takes from a table.
  'gemma-nano': { byLogits: structural(llamacpp, ['fp32']), byFile: [epsilon(llamacpp, ['fp32'])] },
};

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
    { mistake: 'batch rows exchanged', engine: llamacpp, wrap: exchanged, precisions: PRECISIONS },
    {
      mistake: 'padding taken for tokens',
      engine: onnxruntime,
      wrap: padded,
      ragged: true,
      precisions: BOTH,
    },
    {
      mistake: 'padding taken for tokens',
      engine: llamacpp,
      wrap: padded,
      ragged: true,
      precisions: PRECISIONS,
    },
  ];
const DRIVEN = [
  { mistake: 'stale KV cache', fault: 'stale-cache', ragged: false },
  { mistake: 'padding attended to', fault: 'attended-padding', ragged: true },
  { mistake: 'positions off by one', fault: 'later-positions', ragged: false },
  { mistake: 'mask off by one', fault: 'unseen-token', ragged: false },
];

const landed: Record<string, unknown>[] = [];
const benches = new Map<string, Workbench>();
const benchOf = (model: string): Workbench => benches.get(model)!;
const foldersOf = new Map<string, Awaited<ReturnType<typeof corrupt>>>();
const LLAMA = 'llama-nano';

async function control(mistake: string, model: string, check: Check): Promise<ParityRecord> {
  const bench = benchOf(model);
  const record = await bench.check(check);
  const { figures, verdict } = record;
  const tolerances = tolerancesFor(check.engine.meta, check.precision, bench.shape);
  const { id: engine } = check.engine.meta;
  const worst = figures && worstOf(figures, tolerances);
  const byLogits = verdict === 'mismatch';
  landed.push({
    mistake,
    model,
    engine,
    precision: check.precision,
    figures,
    ...worst,
    byLogits,
    byFile: null,
  });
  return record;
}

async function caught(mistake: string, model: string, check: Check): Promise<void> {
  const { verdict, reason, figures } = await control(mistake, model, check);
  expect(verdict, `${mistake}: ${JSON.stringify(figures)}`).toBe('mismatch');
  expect(reason).toMatch(/exceeds|agree/);
}

describe('negative controls of the parity check', () => {
  beforeAll(async () => {
    for (const [model, { byLogits, byFile }] of Object.entries(CONTROLS)) {
      const bench = new Workbench(await resolveModel(model, '.'), pytorchEager, [
        pytorchEager,
        llamacpp,
        onnxruntime,
      ]);
      benches.set(model, bench);
      foldersOf.set(model, await corrupt(bench, [...byLogits, ...byFile]));
    }
  });

  afterAll(() => {
    const file = process.env.ORTBENCH_CONTROLS_JSON;
    if (file !== undefined) writeFileSync(file, JSON.stringify(landed));
  });

  for (const engine of [llamacpp, onnxruntime]) {
    it.each(precisionsOf(engine))(
      `${engine.meta.id} without a mistake is let through at %s`,
      async (precision) => {
        for (const record of await benchOf(LLAMA).checkBoth({ engine, precision }))
          expect(record).toMatchObject({ verdict: 'match' });
        expect(await benchOf(LLAMA).wrongInFile(engine, precision)).toEqual([]);
      },
    );
  }

  for (const [model, { byLogits, byFile }] of Object.entries(CONTROLS)) {
    for (const corruption of byLogits) {
      const { mistake, engine, precisions, inFile } = corruption;
      it.each(precisions)(`${mistake} in ${model}: ${engine.meta.id} is caught at %s`, async (precision) => {
        const artefactDir = foldersOf.get(model)!(corruption, precision);
        await caught(mistake, model, { engine, precision, artefactDir });
        const wrong = await benchOf(model).wrongInFile(engine, precision, artefactDir);
        landed.at(-1)!.byFile = wrong.length > 0;
        expect(wrong.length > 0, wrong.map(({ name }) => name).join()).toBe(inFile);
      });
    }
    for (const corruption of byFile) {
      const { mistake, engine, precisions } = corruption;
      it.each(precisions)(
        `${mistake} in ${model}: ${engine.meta.id} is caught by its file at %s`,
        async (precision) => {
          const bench = benchOf(model);
          const artefactDir = foldersOf.get(model)!(corruption, precision);
          const { verdict, figures } = await control(mistake, model, { engine, precision, artefactDir });
          const correct = await bench.check({ engine, precision });
          expect(verdict).toBe('match');
          expect(figures, 'the artefact was corrupted').not.toEqual(correct.figures);
          expect(await bench.wrongInFile(engine, precision, artefactDir)).toMatchObject([
            { name: expect.stringContaining('epsilon'), verdict: 'differs' },
          ]);
          landed.at(-1)!.byFile = true;
        },
      );
    }
  }

  for (const { mistake, precisions, ...check } of WRAPPED) {
    it.each(precisions)(`${mistake}: ${check.engine.meta.id} is caught at %s`, (precision) =>
      caught(mistake, LLAMA, { ...check, precision }),
    );
  }

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
    await caught(mistake, LLAMA, { engine, precision: 'fp32', ragged, wrap });
  });
});
