import type { z } from 'zod';
import type { ImportedRecord } from '../schema/imported.ts';
import type { Device } from '../schema/vocabulary.ts';

/** What a tool told of one of its figures, before it is known which model and precision of ours it stands for. */
export interface Figure
  extends Pick<
    ImportedRecord,
    'definition' | 'tokensPerSecond' | 'tokens' | 'ns' | 'tool' | 'toolVersion' | 'threads' | 'settings'
  > {
  /** Names the test among the tool's own, for legends: "llama-bench tg128". */
  readonly test: string;
  /** The tool's words for model and weights; null where it does not say. */
  readonly model: string | null;
  readonly weights: string | null;
  /** Null where the tool does not say, or says another one than ours. */
  readonly device: Device | null;
  readonly batchSize: number;
  readonly promptLength: number;
  /** Decode steps + 1; 0 for a prompt alone. */
  readonly generate: number;
  readonly parameters: number | null;
  /** The processor, where the tool names it. */
  readonly cpu: string | null;
  readonly gpu: string | null;
}

/** A piece of a file that holds one entry: a line of JSONL, or a member of a JSON array. */
export interface Entry {
  readonly value: unknown;
  readonly line: number;
}

/** An output of a tool: a file here and a line in index.ts. */
export interface Format {
  readonly title: string;
  /** Told by fields that this tool alone writes. */
  recognises(entry: unknown): boolean;
  /** What a file of this format must look like, and what it says. */
  readonly schema: z.ZodType;
  /** All figures of an entry that passed the schema. @throws Problem for what does not add up */
  figures(entry: never, context: Context): Figure[];
}

export interface Context {
  /** JSON of another file of the same folder, where there is one. */
  readonly sibling: (name: string) => unknown;
}

/** What is wrong with an entry that has the right fields; the reader says in which file and line. */
export class Problem extends Error {}

/**
 * The tool's own rate must be what its own times come to as we take it to count, within what printing rounds off.
 * @param counted by stats/rates.ts, in tokens/s
 */
export function checkRate(name: string, told: number, counted: number): void {
  if (Math.abs(told / counted - 1) <= 0.01) return;
  throw new Problem(
    `${name} is ${told}, but its own times make ${counted.toPrecision(6)} of what it is known to count: another version of the tool?`,
  );
}
