import { describe, expect, it } from 'vitest';
import {
  type BenchSettings,
  benchArguments,
  benchVariables,
  readRows,
} from '../../../../src/engines/llamacpp/tools/batched-bench.ts';

const settings: BenchSettings = {
  modelFile: '/m/model.gguf',
  threads: 3,
  poll: 0,
  mmap: false,
  kvCacheType: 'f16',
  kvUnified: true,
  flashAttention: 'auto',
  nBatch: 2048,
  nUbatch: 256,
};
const run = { batchSize: 4, promptLength: 32, cellsPerSequence: 512, steps: [1, 255, 1] };
const row = (tg: number, fields: Record<string, unknown> = {}) =>
  JSON.stringify({ pp: 32, tg, pl: 4, n_batch: 2048, n_ubatch: 256, t_pp: 0.25, t_tg: 2, ...fields });

describe('benchArguments', () => {
  it('sets the program as the C API would be set', () => {
    const line = benchArguments(settings, run).join(' ');
    expect(line).toBe(
      '-m /m/model.gguf --device none --output-format jsonl -npp 32 -ntg 1,255,1 -npl 4 -c 2048 ' +
        '-b 2048 -ub 256 -t 3 -tb 3 --poll 0 -fa auto -ctk f16 -ctv f16 -kvu',
    );
    const plain = benchArguments({ ...settings, poll: null, kvUnified: false, mmap: true }, run).join(' ');
    expect(plain).not.toMatch(/--poll|-kvu/);
  });

  it('asks for no mapping in variables, which no version refuses', () => {
    expect(benchVariables(settings)).toMatchObject({ LLAMA_ARG_LOAD_MODE: 'none' });
    expect(benchVariables({ ...settings, mmap: true })).toEqual({});
  });
});

describe('readRows', () => {
  it('reads the rows that arrived, in seconds', () => {
    const stdout = `a line\n${row(1, { t_pp: 9, t_tg: 9 })}\n${row(255)}\n\n`;
    const sizes = { nBatch: 2048, nUbatch: 256 };
    expect(readRows(stdout, run)).toEqual([
      { prefillNs: 9e9, decodeNs: 9e9, ...sizes },
      { prefillNs: 0.25e9, decodeNs: 2e9, ...sizes },
    ]);
    expect(readRows('', run)).toEqual([]);
  });

  it.each([
    ['half a line', '{"pp": 32, "tg"', /printed what is no result/],
    ['a division by zero', '{"pp": 32, "tg": 1, "speed_tg": -nan}', /what is no result/],
    ['an unknown result', row(1, { t_pp: 'soon' }), /what is no result/],
    ['a prompt in no time', row(1, { t_pp: 0 }), /what is no result/],
    ['another shape', row(1, { pl: 8 }), /measured 8 × \(32 \+ 1\) tokens instead of 4 × \(32 \+ 1\)/],
    ['another order', row(255), /measured 4 × \(32 \+ 255\) tokens instead of 4 × \(32 \+ 1\)/],
    ['too many', [row(1), row(255), row(1), row(1)].join('\n'), /instead of 4 × \(32 \+ nothing\)/],
  ])('refuses %s', (_, stdout, words) => {
    expect(() => readRows(stdout, run)).toThrow(words);
  });
});
