import { z } from 'zod';
import { deviceSchema, precisionSchema } from './vocabulary.ts';

/** Longest prompt of a batch in tokens; with `spread` s the other lengths are drawn from [ceil(length·(1−s)), length]. */
export const promptLengthSchema = z.strictObject({
  length: z.int().min(1),
  spread: z.number().min(0).lt(1),
});
export type PromptLength = z.infer<typeof promptLengthSchema>;

/** The smallest unit of work that is scheduled, stored and reported. `engine` is the sweep's name for it (a variant's label). */
export const cellSchema = z.strictObject({
  engine: z.string(),
  model: z.string(),
  precision: precisionSchema,
  device: deviceSchema,
  batchSize: z.int().min(1),
  promptLength: promptLengthSchema,
  generate: z.int().min(2),
});
export type Cell = z.infer<typeof cellSchema>;

/** Readable and unique: the identity of a cell in records, on the command line and in messages. */
export function cellKey(cell: Cell): string {
  const { length, spread } = cell.promptLength;
  const prompt = spread === 0 ? `p${length}` : `p${length}~${spread}`;
  return `${cell.model}/${cell.engine}/${cell.precision}/${cell.device}/b${cell.batchSize}/${prompt}/g${cell.generate}`;
}

/** The work of a cell without its engine and precision: cells with one work key are comparable. */
export function workKey(cell: Omit<Cell, 'engine' | 'precision'>): string {
  const { length, spread } = cell.promptLength;
  return `${cell.model}/${cell.device}/b${cell.batchSize}/p${length}~${spread}/g${cell.generate}`;
}

/** One loaded model in one engine; cells that share it share a session. */
export function sessionKey(cell: Pick<Cell, 'engine' | 'model' | 'precision' | 'device'>): string {
  return `${cell.model}/${cell.engine}/${cell.precision}/${cell.device}`;
}
