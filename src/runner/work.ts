import { createHash } from 'node:crypto';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { type Cell, workKey } from '../schema/cell.ts';
import type { ModelShape } from '../schema/model.ts';

/** The work of a cell, the same for every engine and precision (spec/metrics, "A cell"). */
export interface Work {
  /** [batch][real tokens] */
  readonly prompts: number[][];
  readonly generate: number;
  /** Tokens per sequence that the KV cache must hold. */
  readonly capacity: number;
  /** Real prompt tokens of the whole batch; padding never counts. */
  readonly promptTokens: number;
  readonly promptsSha256: string;
}

/** A generator whose stream depends on every part of the label, so that no two purposes share random numbers. */
export function seededGenerator(seed: number, label: string) {
  const digest = createHash('sha256').update(`${seed}\n${label}`).digest();
  return xoroshiro128plus(digest.readInt32LE(0));
}

/** In place; every order is equally likely (Fisher–Yates). */
export function shuffle<T>(items: T[], random: ReturnType<typeof seededGenerator>): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = uniformInt(random, 0, i);
    [items[i], items[j]] = [items[j]!, items[i]!];
  }
  return items;
}

type Vocabulary = Pick<ModelShape, 'vocabSize' | 'specialTokenIds'>;

/** Prompts of these lengths: uniform over the vocabulary without its special tokens. Another label, other prompts. */
export function drawPrompts(
  lengths: readonly number[],
  seed: number,
  label: string,
  vocabulary: Vocabulary,
): number[][] {
  return draw(lengths, seededGenerator(seed, label), vocabulary);
}

function draw(
  lengths: readonly number[],
  random: ReturnType<typeof seededGenerator>,
  { vocabSize, specialTokenIds }: Vocabulary,
): number[][] {
  const special = new Set(specialTokenIds);
  const ordinary = Array.from({ length: vocabSize }, (_, id) => id).filter((id) => !special.has(id));
  return lengths.map((length) =>
    Array.from({ length }, () => ordinary[uniformInt(random, 0, ordinary.length - 1)]!),
  );
}

/** Draws the prompts of a cell. */
export function makeWork(cell: Cell, seed: number, vocabulary: Vocabulary): Work {
  const random = seededGenerator(seed, `prompts ${workKey(cell)}`);
  const { length, spread } = cell.promptLength;
  const shortest = Math.ceil(length * (1 - spread));
  // The first row has the full length: a ragged batch holds at least one such sequence.
  const lengths = Array.from({ length: cell.batchSize }, (_, row) =>
    row === 0 ? length : uniformInt(random, shortest, length),
  );
  const prompts = draw(lengths, random, vocabulary);
  return {
    prompts,
    generate: cell.generate,
    capacity: length + cell.generate,
    promptTokens: prompts.reduce((sum, row) => sum + row.length, 0),
    promptsSha256: digestTokens(prompts),
  };
}

/** SHA-256 over rows of token ids, one row a line, so that a moved row boundary changes it. */
export function digestTokens(rows: readonly (readonly number[])[]): string {
  const hash = createHash('sha256');
  for (const row of rows) hash.update(`${row.join(' ')}\n`);
  return hash.digest('hex');
}
