import { expect, test } from 'vitest';
import { reportTitle } from '../../src/report/describe.ts';
import { makeInput } from './fixtures.ts';

const [model] = makeInput().manifest.models;
const cutTo = (layers: number, ofLayers?: number) => ({
  ...model!,
  layers,
  ...(ofLayers === undefined ? {} : { ofLayers }),
});

test.each([
  ['Phi-2 as in a blog', [cutTo(32)], 'Phi-2 as in a blog'],
  ['Phi-2 as in a blog', [cutTo(1, 32)], 'Phi-2 as in a blog, 1 of 32 layers'],
  ['Phi-2, 1 of 32 layers', [cutTo(1, 32)], 'Phi-2, 1 of 32 layers'],
  [null, [cutTo(2, 18), cutTo(6)], 'Generative AI on this machine, 2 of 18 layers'],
  [
    'All',
    [cutTo(1, 80), cutTo(1, 18), cutTo(1, 32), cutTo(1, 32), cutTo(2, 18)],
    'All, 1 of 18, 32 or 80; 2 of 18 layers',
  ],
])('%s: the title of a report says how far its models are cut', (title, models, said) => {
  expect(reportTitle({ title, models })).toBe(said);
});
