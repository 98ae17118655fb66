import { expect, test } from 'vitest';
import { headlineMarkdown } from '../../src/report/headline.ts';
import { sentence } from '../../src/report/sentences.ts';
import { summarise } from '../../src/report/summary.ts';
import { formatRatio } from '../../src/units.ts';
import { type FixtureOptions, HOSTILE, makeInput } from './fixtures.ts';

const headline = (options: FixtureOptions = {}) => headlineMarkdown(summarise(makeInput(options)));

test('the sentences a blog would print', () => {
  const report = summarise(makeInput());
  const text = headlineMarkdown(report);
  const row = report.averages.find(
    ({ engine, precision, phase }) => engine === 'onnxruntime' && precision === 'int4' && phase === 'prefill',
  )!;
  const { batchSize, promptLength } = row.highest!.cell;
  expect(text).toContain(
    '**llama-tiny, int4: ONNX Runtime against PyTorch eager**: prompt throughput up to ',
  );
  expect(text).toContain(`; batch ${batchSize}, prompt ${promptLength.length})`);
  expect(text).toContain(`${formatRatio(row.average!)} (`);
  expect(text).toContain(
    `(geometric mean over 4 of 4 cells, lowest ${formatRatio(row.lowest!.speedup!)}, highest ${formatRatio(row.highest!.speedup!)})`,
  );
  expect(text).toMatch(/token generation throughput up to 1\.9\d× \(1\.\d\d–1\.\d\d; batch/);
  expect(text).not.toContain('Parity');
});

test('with few rounds it says so and prints no interval', () => {
  const text = headline({ rounds: 3 });
  expect(text).toMatch(/prompt throughput up to \d\.\d\d× \(batch \d, prompt \d+\), \d\.\d\d× on average/);
  expect(text).toContain('with fewer than six rounds there is no 95 % interval');
});

test('a baseline of another precision: both are printed', () => {
  expect(headline({ baselines: [{ engine: 'pytorch-eager', precision: 'fp32' }] })).toContain(
    '**llama-tiny: ONNX Runtime int4 against PyTorch eager fp32**: prompt throughput up to 5.',
  );
});

test('slower is called slower', () => {
  expect(headline({ baselines: [{ engine: 'onnxruntime', precision: null }] })).toMatch(
    /PyTorch eager against ONNX Runtime\*\*: prompt throughput slower everywhere, at best 0\.45\d×/,
  );
});

test('slower is not said where the best cell may be as fast', () => {
  const [row] = summarise(makeInput()).averages;
  const best = (speedup: number, interval: [number, number] | null) =>
    sentence({ ...row!, highest: { ...row!.highest!, speedup, interval } }).what;
  expect(best(0.9, [0.8, 1.02])).toContain('nowhere faster, at best 0.900× (0.800–1.02; batch');
  expect(best(0.9, [0.8, 0.99])).toContain('slower everywhere, at best 0.900×');
  expect(best(0.9, null)).toContain('slower everywhere, at best 0.900×');
  expect(best(1.1, [0.9, 1.2])).toContain('up to 1.10×');
});

test('one cell is no average, and has no lowest and highest', () => {
  const text = headline({ batchSizes: [4], promptLengths: [32] });
  expect(text).toMatch(
    /ONNX Runtime against PyTorch eager\*\*: prompt throughput \d\.\d\d× \(\d\.\d\d–\d\.\d\d; batch 4, prompt 32\), in 1 of 1 cell\./,
  );
  expect(text).not.toMatch(/on average|lowest|up to/);
});

test('unchecked parity and interruption are stamped', () => {
  const text = headline({ parity: false, interrupted: true });
  expect(text).toContain('> **Partial result: the run was interrupted.**');
  expect(text).toContain('> **Parity was not checked');
  expect(text).toContain('Parity unchecked.');
});

test('what is missing is listed with its reason, and counted in the average', () => {
  const text = headline({
    fault: ({ engine, batchSize }) =>
      engine === 'onnxruntime' && batchSize === 4 ? { status: 'oom', reason: 'needs 20 GiB' } : null,
  });
  expect(text).toContain('geometric mean over 2 of 4 cells');
  expect(text).toContain('4 cells of 32 without a comparable result');
  expect(text).toContain(
    '| llama-tiny | ONNX Runtime | fp32 | 2: batch 4, prompt 64; batch 4, prompt 256 | oom | needs 20 GiB |',
  );
});

test('no valid cell: a sentence and no chart', () => {
  const text = headline({ fault: () => ({ status: 'failed', reason: 'scripted' }) });
  expect(text).toContain('No cell has a valid result, so there is no chart.');
  expect(text).toContain('No cell of llama-tiny in fp32 on cpu has a valid result');
  expect(text).toContain('not compared in any of 4 cells: failed: scripted.');
  expect(text).not.toContain('![');
});

test('flags come with advice', () => {
  const text = headline({ noise: 0.3 });
  expect(text).toContain('| noisy |');
  expect(text).toContain('close other programs');
});

test.each([...HOSTILE])('%j stays text', (hostile) => {
  const text = headline({
    models: [{ name: hostile, title: hostile, origin: hostile }],
    title: hostile,
    rounds: 1,
    generate: 2,
    fault: ({ engine }) => (engine === 'llamacpp' ? { status: 'failed', reason: hostile } : null),
  });
  expect(text).not.toMatch(/<script/i);
  expect(text).not.toMatch(/(?<!\\)\]\(javascript/);
  expect(text).not.toMatch(/(?<!\\)`\$\(/);
  expect(text).not.toContain('\u0000');
  expect(text).not.toContain('\u202E');
  expect(text).not.toMatch(/\n# heading/);
  const heads = text.split('\n').filter((line) => /^#{1,6} /.test(line));
  expect(heads).toHaveLength(4);
  for (const row of text.split('\n').filter((line) => line.startsWith('| ') && line.includes('failed'))) {
    expect(row.replace(/\\\|/g, '').split('|')).toHaveLength(8);
  }
});

test('does not repeat for every comparison what the sweep itself leaves out', () => {
  const reason = 'excluded by the rule at x.yaml:3:5';
  const input = makeInput({
    baselines: [{ engine: 'pytorch-eager', precision: null }],
    fault: ({ precision }) => (precision === 'int4' ? { status: 'skipped', reason } : null),
  });
  const text = headlineMarkdown(summarise(input));
  expect(text).toContain("comparisons more would need cells that the sweep's own rules or --only leave out");
  expect(text).not.toContain('not compared in any');
  expect(text).toContain('excluded by the rule at x.yaml:3:5');
  expect(text).toContain('fp32: ONNX Runtime against PyTorch eager');
});
