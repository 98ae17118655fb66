import { EngineError } from '../../errors.ts';
import type { DecoderGraph } from './graph.ts';

/** The prompts of a batch. */
export interface Prompts {
  readonly rows: readonly Int32Array[];
  /** Length of the longest; the others are padded to it at the right. */
  readonly longest: number;
  readonly ragged: boolean;
}

/**
 * @param capacity tokens per sequence that the KV cache has room for
 * @throws EngineError `failed` for an empty batch or prompt or one that does not fit, `unsupported` where this model
 * could give the logits of padding only.
 */
export function checkPrompts(
  graph: Pick<DecoderGraph, 'logits'>,
  rows: readonly Int32Array[],
  capacity: number,
): Prompts {
  const lengths = rows.map((row) => row.length);
  const longest = Math.max(...lengths);
  const ragged = lengths.some((length) => length !== longest);
  if (lengths.length === 0 || lengths.includes(0)) {
    throw new EngineError('failed', 'every sequence of a batch needs at least one prompt token');
  }
  if (longest > capacity) {
    throw new EngineError('failed', `a prompt of ${longest} tokens does not fit a KV cache of ${capacity}`);
  }
  if (ragged && graph.logits.scope === 'last') {
    throw new EngineError(
      'unsupported',
      'this ONNX model computes the logits of the last position only and has no input logits_index: ' +
        'for every prompt but the longest that is padding',
    );
  }
  return { rows, longest, ragged };
}

/** Something that holds the attention mask, row after row. */
export interface MaskMemory {
  fill(value: 0 | 1, start: number, end: number): void;
}

/**
 * Writes the mask [batch, longest + steps] of a ragged batch after `steps` decoded tokens: each row its ones first, then
 * zeros, for GroupQueryAttention takes a sequence's length from the sum of its row.
 */
export function fillRaggedMask(mask: MaskMemory, { rows, longest }: Prompts, steps: number): void {
  const width = longest + steps;
  for (let b = 0; b < rows.length; b++) {
    const start = b * width;
    const length = rows[b]!.length + steps;
    mask.fill(1, start, start + length);
    mask.fill(0, start + length, start + width);
  }
}
