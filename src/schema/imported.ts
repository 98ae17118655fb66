import { z } from 'zod';
import { cellSchema } from './cell.ts';

/** What a figure of another tool counts; stats/definitions.ts says each in words, and how ours are counted alike. */
export const DEFINITIONS = [
  'llama-bench-pp',
  'llama-bench-tg',
  'llama-bench-pg',
  'llama-batched-bench-pp',
  'llama-batched-bench-shared-pp',
  'llama-batched-bench-tg',
  'genai-e2e-prompt',
  'genai-e2e-prompt-twice',
  'genai-e2e-generation',
  'genai-e2e-generation-median',
  'optimum-prefill',
  'optimum-prefill-generate',
  'optimum-decode',
] as const;
export const definitionSchema = z.enum(DEFINITIONS);
export type DefinitionId = (typeof DEFINITIONS)[number];

const word = z.string().max(200);

/**
 * Where a figure is drawn. A tool that generates from an empty context has no prompt (length 0), and one that tests the
 * prompt alone generates nothing (generate 0): cells that no sweep has.
 */
export const importedCellSchema = cellSchema.extend({
  promptLength: z.strictObject({ length: z.int().min(0), spread: z.literal(0) }),
  generate: z.int().min(0),
});

/** One figure of another tool, with the times that it stands for. Never an outcome of ours. */
export const importedRecordSchema = z.strictObject({
  kind: z.literal('imported'),
  cell: importedCellSchema,
  definition: definitionSchema,
  /** As the tool prints it, or in tokens where it counts sequences. */
  tokensPerSecond: z.number().positive(),
  /** Tokens that the tool divides by each of the times. */
  tokens: z.number().positive(),
  /** One for each repetition, or the one average that the tool tells. */
  ns: z.array(z.number().positive()).min(1).max(100_000),
  tool: word,
  toolVersion: word.nullable(),
  /** How the tool names the model and its weights. */
  modelSaid: word,
  /** Null where the tool does not say. */
  threads: z.int().min(1).nullable(),
  /** What else decides the figure, as the tool names it. */
  settings: z.record(z.string().max(60), z.union([word, z.number(), z.boolean()])),
  source: z.strictObject({
    /** Base name: where it lay is nobody's business. */
    file: word,
    line: z.int().min(1),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
  }),
});
export type ImportedRecord = z.infer<typeof importedRecordSchema>;
