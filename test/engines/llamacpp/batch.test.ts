import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchArrays, planPrefill } from '../../../src/engines/llamacpp/batch.ts';

const BASE = 0x1000n;
const addressOf = () => BASE;

describe('BatchArrays', () => {
  it('points into its own block, in the order of struct llama_batch', () => {
    const arrays = new BatchArrays(4, addressOf);
    const [tokens, token, embd, pos, , seqId, logits] = arrays.slice(1, 2).words;
    expect(tokens).toBe(2n);
    expect(token).toBe(BASE + BigInt(arrays.tokens.byteOffset + 4));
    expect(embd).toBe(0n);
    expect(pos).toBe(BASE + BigInt(arrays.positions.byteOffset + 4));
    expect(logits).toBe(BASE + BigInt(arrays.outputs.byteOffset + 1));
    const pointers = new BigUint64Array(arrays.tokens.buffer, 0, 4);
    expect(seqId).toBe(BASE + 8n);
    expect(pointers[1]).toBe(BASE + BigInt(arrays.sequences.byteOffset + 4));
  });
});

describe('planPrefill', () => {
  it('feeds every token once with its own position, and asks for the logits of each last one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 64 }),
        (lengths, limit) => {
          const total = lengths.reduce((a, b) => a + b, 0);
          const prompts = lengths.map((length, row) => Int32Array.from({ length }, (_, i) => row * 100 + i));
          const arrays = new BatchArrays(total + 3, addressOf);
          arrays.outputs.fill(1);
          const chunks = planPrefill(arrays, prompts, limit);

          expect(chunks.reduce((sum, chunk) => sum + chunk.tokens, 0)).toBe(total);
          expect(Math.max(...chunks.map((chunk) => chunk.tokens))).toBeLessThanOrEqual(limit);
          let at = 0;
          const rows: number[] = [];
          for (const chunk of chunks) {
            expect(chunk.batch.words[0]).toBe(BigInt(chunk.tokens));
            const ending: number[] = [];
            for (let i = at; i < at + chunk.tokens; i++) {
              const row = arrays.sequences[i]!;
              const position = arrays.positions[i]!;
              expect(arrays.tokens[i]).toBe(row * 100 + position);
              const isLast = position === lengths[row]! - 1;
              expect(arrays.outputs[i]).toBe(isLast ? 1 : 0);
              if (isLast) ending.push(row);
            }
            expect(ending).toEqual(Array.from({ length: chunk.rows }, (_, i) => chunk.firstRow + i));
            rows.push(...ending);
            at += chunk.tokens;
          }
          expect(rows).toEqual(lengths.map((_, row) => row));
        },
      ),
    );
  });
});
