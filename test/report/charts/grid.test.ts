import { expect, test } from 'vitest';
import { makeGrid } from '../../../src/report/charts/grid.ts';
import type { Cell } from '../../../src/schema/cell.ts';
import { ENGINES, makeInput } from '../fixtures.ts';

const { manifest } = makeInput({ rounds: 1, generate: 2 });
const cell = (engine: string, batchSize: number, length: number, spread = 0): Cell => ({
  engine,
  model: 'm',
  precision: 'fp32',
  device: 'cpu',
  batchSize,
  promptLength: { length, spread },
  generate: 2,
});
const value = (engine: string, batchSize: number, length: number, spread = 0) => ({
  cell: cell(engine, batchSize, length, spread),
  engineTitle: ENGINES.find(({ name }) => name === engine)!.title,
  row: `${engine} ${batchSize} ${length}`,
  outcome: { value: batchSize * 1000 + length, interval: null, hatched: false, speedup: null },
});
const gap = (engine: string, batchSize: number, length: number, reason: string) => ({
  ...value(engine, batchSize, length),
  outcome: { reason },
});

test('categories by number, not by text, batch sizes first; engines in the order of the manifest', () => {
  const { categories, series } = makeGrid(manifest, [
    value('llamacpp', 16, 64),
    value('llamacpp', 2, 1024),
    value('llamacpp', 2, 64, 0.5),
    value('llamacpp', 2, 64),
    value('onnxruntime', 2, 64),
  ]);
  expect(categories.map(({ group, label }) => [group, ...label])).toEqual([
    ['batch 2', '64'],
    ['batch 2', '64', 'ragged 50 %'],
    ['batch 2', '1024'],
    ['batch 16', '64'],
  ]);
  expect(series.map(({ name, colour }) => [name, colour])).toEqual([
    ['ONNX Runtime', 0],
    ['llama.cpp', 3],
  ]);
  expect(series[1]!.marks.map((mark) => mark.kind === 'bar' && mark.value)).toEqual([
    2064, 2064, 3024, 16064,
  ]);
});

test('one letter a reason, explained once; cells outside the sweep are marked too', () => {
  const { series, gapNotes } = makeGrid(manifest, [
    gap('onnxruntime', 1, 8, 'oom: too large'),
    gap('onnxruntime', 1, 16, 'oom: too large'),
    value('pytorch-eager', 1, 8),
    gap('llamacpp', 1, 8, 'failed: x'),
    gap('llamacpp', 1, 16, 'failed: y'),
  ]);
  const letters = series.map(({ marks }) => marks.map((mark) => (mark.kind === 'gap' ? mark.letter : '')));
  expect(letters).toEqual([
    ['a', 'a'],
    ['', '·'],
    ['b', 'c'],
  ]);
  expect(gapNotes).toEqual([
    '[a] ONNX Runtime, all cells: oom: too large',
    '[b] llama.cpp: failed: x',
    '[c] llama.cpp: failed: y',
    '[·] not in the sweep',
  ]);
});

test('too many reasons share one letter an engine', () => {
  const { gapNotes } = makeGrid(
    manifest,
    Array.from({ length: 40 }, (_, i) => gap('llamacpp', 1, i + 1, `oom: needs ${i} GiB`)),
  );
  expect(gapNotes).toEqual(['[a] llama.cpp, all cells: oom: needs 0 GiB; 39 more reasons in summary.csv']);
});
