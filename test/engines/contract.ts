import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Engine, EngineSession } from '../../src/engines/engine.ts';
import { openSession } from '../../src/runner/open-session.ts';
import { PRECISIONS, type Precision } from '../../src/schema/vocabulary.ts';
import { sessionLimits } from './limits.ts';

/** What every engine's description must say, whether or not the engine is installed here. */
export function checkMeta(id: string, engine: Engine): void {
  const { meta } = engine;
  expect(meta.id).toBe(id);
  expect(meta.title.trim()).not.toBe('');
  expect(Object.keys(meta.precisions).length).toBeGreaterThan(0);
  for (const support of Object.values(meta.precisions)) {
    expect(Object.keys(support).sort()).toEqual([...PRECISIONS].sort());
    for (const said of Object.values(support)) {
      const reason = typeof said === 'object' ? said.reason : said;
      if (reason !== true) expect(reason.length, 'a refusal needs a reason').toBeGreaterThan(15);
      if (typeof said === 'object') {
        const { option, value } = said.insist;
        expect(engine.options.parse({ [option]: value })[option]).toBe(value);
        expect(engine.options.parse({})[option], 'nobody insists without saying it').not.toBe(value);
      }
    }
  }
  expect(engine.options.parse({})).toBeTypeOf('object');
  expect(engine.options.safeParse({ noSuchOption: 1 }).success).toBe(false);
}

export interface ContractCase {
  readonly engine: Engine;
  readonly precision: Precision;
  readonly artefactDir: string;
  readonly scratchDir: string;
  /** Besides the defaults. */
  readonly options?: Readonly<Record<string, unknown>>;
}

export const SHAPE = { promptLength: 12, generate: 16 } as const;
const CAPACITY = SHAPE.promptLength + SHAPE.generate;

export async function openForContract({
  engine,
  precision,
  artefactDir,
  options = {},
}: ContractCase): Promise<EngineSession> {
  const request = {
    model: 'contract',
    artefactDir,
    precision,
    device: 'cpu',
    threads: 1,
    maxBatchSize: 3,
    maxSequenceLength: CAPACITY,
    options: engine.options.parse(options),
  } as const;
  return openSession(engine, request, engine.meta.isolation, sessionLimits);
}

const prompt = (seed: number, length: number): number[] =>
  Array.from({ length }, (_, i) => 3 + ((seed * 31 + i * 7 + ((i * i) % 11)) % 60));

/** Behaviour that measuring relies on; returns the tokens of the uniform batch, for comparing engines. */
export async function checkSession(contract: ContractCase): Promise<number[][]> {
  const session = await openForContract(contract);
  try {
    expect(Object.keys(session.loaded.versions).length).toBeGreaterThan(0);
    expect(Object.keys(session.loaded.effective).length).toBeGreaterThan(0);
    const prompts = [prompt(1, SHAPE.promptLength), prompt(2, SHAPE.promptLength)];
    const generate = (rows: number[][], tokens: number) =>
      session.generate({ prompts: rows, generate: tokens, capacity: CAPACITY, measurePeakMemory: false });
    await session.prepare({ batchSize: 2, ...SHAPE });

    const first = await generate(prompts, SHAPE.generate);
    expect(first.tokens.map((row) => row.length)).toEqual([SHAPE.generate, SHAPE.generate]);
    expect(first.stepNs).toHaveLength(SHAPE.generate - 1);
    expect(first.selectNs).toHaveLength(SHAPE.generate);
    const phases = [first.prefillNs, ...first.stepNs, ...first.selectNs];
    expect(phases.every((ns) => Number.isFinite(ns) && ns >= 0)).toBe(true);
    expect(phases.reduce((a, b) => a + b)).toBeLessThanOrEqual(first.wallNs * 1.000001);
    const vocabSize = session.loaded.vocabSize ?? expect.unreachable('the vocabulary size is not known');
    for (const id of first.tokens.flat()) expect(id >= 0 && id < vocabSize).toBe(true);
    expect(
      new Set(first.tokens.flat()).size,
      'a model that always says the same proves nothing',
    ).toBeGreaterThan(2);

    const again = await generate(prompts, SHAPE.generate);
    expect(again.tokens, 'a stale cache changes the answer').toEqual(first.tokens);
    expect(again.recompiles).toBe(0);
    const prefillAlone = await generate(prompts, 1);
    expect(prefillAlone.stepNs).toEqual([]);
    expect(prefillAlone.tokens).toEqual(first.tokens.map((row) => row.slice(0, 1)));
    const exchanged = await generate([...prompts].reverse(), SHAPE.generate);
    expect(exchanged.tokens, 'rows of a batch must not touch').toEqual([...first.tokens].reverse());

    await checkTeacherForcing(session, prompts, first.tokens, contract.scratchDir);
    const memory = await session.generate({
      prompts,
      generate: 2,
      capacity: CAPACITY,
      measurePeakMemory: true,
    });
    if (process.platform === 'linux') expect(memory.peakRssBytes).toBeGreaterThan(1e6);
    return first.tokens;
  } finally {
    await session.close();
  }
}

async function checkTeacherForcing(
  session: EngineSession,
  prompts: number[][],
  continuation: number[][],
  scratchDir: string,
): Promise<void> {
  const logitsFile = join(scratchDir, `logits-${Math.trunc(performance.now() * 1e3)}`);
  const { steps, vocabSize } = await session.teacherForce({ prompts, continuation, logitsFile });
  expect(steps).toBe(SHAPE.generate);
  expect((await stat(logitsFile)).size).toBe((steps + 1) * prompts.length * vocabSize * 4);
}

/** fp32 only: each sequence of a ragged batch gets the answer that it gets alone. */
export async function checkRagged(contract: ContractCase): Promise<void> {
  const session = await openForContract(contract);
  try {
    const prompts = [prompt(3, SHAPE.promptLength), prompt(4, 5), prompt(5, 9)];
    const request = { generate: SHAPE.generate, capacity: CAPACITY, measurePeakMemory: false };
    const together = await session.generate({ prompts, ...request });
    for (const [row, alone] of prompts.entries()) {
      const { tokens } = await session.generate({ prompts: [alone], ...request });
      expect(together.tokens[row], `sequence ${row} of ${alone.length} tokens`).toEqual(tokens[0]);
    }
  } finally {
    await session.close();
  }
}
