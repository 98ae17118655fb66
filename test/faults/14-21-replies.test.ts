import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { type Finished, outcomesOf, variant, Workplace } from '../fixtures/workplace.ts';

const ARGS = ['sweep', 'run.yaml', '--out', 'out', '--no-parity'];
const replies = fileURLToPath(new URL('../fixtures/faults/replies.mjs', import.meta.url));
/** Printed at the end: the most memory that the harness ever held. */
const peak = `data:text/javascript,${encodeURIComponent(
  'process.on("exit", () => console.error("peak", process.resourceUsage().maxRSS))',
)}`;

/** The rows of a sweep whose runners each answer with a fault of their own, beside one that is sound. */
async function sweepOf(
  faults: readonly string[],
  sweep: Record<string, unknown> = {},
): Promise<{ place: Workplace; finished: Finished; outcomes: Record<string, string> }> {
  const place = new Workplace();
  const sizes = faults.map((fault, i) => [300 + i, fault] as const);
  const { stepMs, ...rest } = { stepMs: 0, ...sweep };
  place.config('run.yaml', {
    isolation: 'process',
    batchSizes: [1],
    engines: [
      ...sizes.map(([vocabSize, fault]) => variant(fault, { vocabSize, stepMs })),
      variant('sound', { stepMs }),
    ],
    ...rest,
  });
  const finished = await place.run(ARGS, {
    node: ['--import', replies, '--import', peak],
    env: { ORTBENCH_TEST_REPLIES: JSON.stringify(Object.fromEntries(sizes)) },
  });
  const { records } = await place.results();
  const outcomes = outcomesOf(records).map(
    ({ cell, status, reason }) => [cell.engine, `${status}: ${reason}`] as const,
  );
  await place.expectNothingLeft();
  return { place, finished, outcomes: Object.fromEntries(outcomes) };
}

const MINUTES = 60_000;
const SOUND = { sound: 'ok: null' };
const breach = (words: RegExp) =>
  expect.stringMatching(new RegExp(`^protocol-error: .*${words.source}`, 's'));

describe('what runners send, through the program', () => {
  it('14: a failure behind a result is a protocol-error of that cell', { timeout: 2 * MINUTES }, async () => {
    const { finished, outcomes } = await sweepOf(['result-then-error', 'result-then-exit']);
    expect(finished.code, finished.stderr).toBe(4);
    expect(outcomes).toEqual({
      ...SOUND,
      'result-then-error': breach(/which was not asked/),
      'result-then-exit': breach(/ended (?:with exit code 0 after its answer|without a result)/),
    });
  });

  it('15: garbage on the stream costs the cell of who sent it, in bounded memory', {
    timeout: 5 * MINUTES,
  }, async () => {
    const garbage = {
      garbage: /not JSON/,
      'no-utf8': /not JSON/,
      nan: /not JSON/,
      infinite: /prefillNs/,
      negative: /prefillNs/,
      'duplicate-id': /which was not asked/,
      'unknown-id': /which was not asked/,
      'line-of-100-mb': /more than \d+ bytes/,
    };
    const { place, finished, outcomes } = await sweepOf([...Object.keys(garbage), 'split-utf8']);
    expect(finished.code, finished.stderr).toBe(4);
    expect(outcomes).toEqual({
      ...SOUND,
      ...Object.fromEntries(Object.entries(garbage).map(([name, words]) => [name, breach(words)])),
      // A character that two chunks share arrives whole, as the honest message that it is.
      'split-utf8': 'failed: zu groß',
    });
    // A line may have 64 MiB; twice that while it is cut out, and what a harness takes at any rate.
    const [, kib] = /peak (\d+)/.exec(finished.stderr)!;
    expect(Number(kib) / 1024).toBeLessThan(400);
    // None of it is charted: what is, has a rate.
    for (const [engine, rate] of Object.entries(column(place, 'generation_tokens_per_second')))
      expect(rate !== '', engine).toBe(engine === 'sound');
  });

  it('16: a flood on stderr is drained, and its end is kept', { timeout: 2 * MINUTES }, async () => {
    const { finished, outcomes } = await sweepOf(['flood', 'flood-then-crash']);
    expect(finished.code, finished.stderr).toBe(4);
    expect(outcomes).toEqual({
      ...SOUND,
      flood: 'ok: null',
      'flood-then-crash': expect.stringMatching(/^crashed: .*SIGSEGV.*the last words/s),
    });
    // The end, and not the flood: five megabytes a run.
    expect(outcomes['flood-then-crash']!.length).toBeLessThan(20_000);
    const [, kib] = /peak (\d+)/.exec(finished.stderr)!;
    expect(Number(kib) / 1024).toBeLessThan(300);
  });

  it('18: times that nobody saw pass are implausible', { timeout: 2 * MINUTES }, async () => {
    const { place, finished, outcomes } = await sweepOf(['too-fast'], { stepMs: 20, repetitions: 3 });
    expect(finished.code, finished.stderr).toBe(4);
    expect(outcomes).toEqual({
      ...SOUND,
      'too-fast': expect.stringMatching(/^invalid: .*the engine reports .* by the harness's clock/),
    });
    const rates = column(place, 'generation_tokens_per_second');
    expect(rates['too-fast']).toBe('');
    expect(rates.sound).not.toBe('');
  });

  it('21: drift and spikes are flagged, and stay what was measured', { timeout: 2 * MINUTES }, async () => {
    const { place, finished, outcomes } = await sweepOf(['drifts', 'spikes'], { repetitions: 8 });
    expect(finished.code, finished.stderr).toBe(0);
    expect(outcomes).toEqual({ ...SOUND, drifts: 'ok: null', spikes: 'ok: null' });
    const flags = column(place, 'flags');
    expect(flags.drifts).toContain('drift:decode');
    expect(flags.spikes).toContain('outlier:decode');
    expect(flags.spikes).not.toContain('drift:decode');
  });
});

/** Engine → its value there, of a report with a row for each. */
function column(place: Workplace, name: string): Record<string, string> {
  const rows = parse(readFileSync(join(place.dir, 'out/report/summary.csv')), { columns: true });
  return Object.fromEntries((rows as Record<string, string>[]).map((row) => [row.engine!, row[name]!]));
}
