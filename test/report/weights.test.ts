import { describe, expect, it } from 'vitest';
import { SUMMARY_COLUMNS } from '../../src/report/columns/summary.ts';
import { gather } from '../../src/report/gather.ts';
import { facetsOf } from '../../src/report/html/facets.ts';
import { parity } from '../../src/report/html/sections/parity.ts';
import type { Report } from '../../src/report/model.ts';
import { summarise } from '../../src/report/summary.ts';
import { shortHash, weightSentences } from '../../src/report/weights.ts';
import type { RunRecord } from '../../src/schema/record.ts';
import { type FixtureOptions, makeInput } from './fixtures.ts';

const OPTIONS: FixtureOptions = { batchSizes: [1], promptLengths: [64] };
const report = (edit: (record: RunRecord) => RunRecord = (record) => record, options = OPTIONS) =>
  summarise(makeInput({ ...options, edit }));

const parityOnPage = (shown: Report): string =>
  String(
    parity.render({
      report: shown,
      facets: facetsOf(shown),
      raw: { kind: 'none' } as never,
      history: null,
      files: [],
    }),
  );

/** As if one engine's file had been made of something else. */
const another =
  (engine: string, what: 'source' | 'checkpoint', precision = 'int4') =>
  (record: RunRecord): RunRecord =>
    record.kind === 'session' && record.engine === engine && record.precision === precision
      ? { ...record, chain: { ...record.chain!, [what]: 'f'.repeat(64) } }
      : record;
/** As an earlier version stored it. */
const withoutChain = (record: RunRecord): RunRecord => {
  if (record.kind === 'session') {
    const { chain: _, ...rest } = record;
    return rest;
  }
  if (record.kind !== 'parity') return record;
  const { reference: _, ...rest } = record;
  return rest;
};

describe('from the results alone', () => {
  it('engines and the parity reference are seen to share one canonical checkpoint of each precision', () => {
    const { rows, speedups } = report();
    expect(weightSentences(rows)).toEqual(
      ['fp32', 'int4'].map((precision) =>
        expect.stringMatching(
          new RegExp(
            `^Llama Tiny, ${precision}: one canonical checkpoint, [0-9a-f]{12}, for every engine and the parity reference\\.$`,
          ),
        ),
      ),
    );
    expect(speedups.every(({ speedup }) => speedup !== null)).toBe(true);
    const values = (name: string) =>
      rows.map((row) => SUMMARY_COLUMNS.find((column) => column.name === name)!.value(row));
    for (const name of ['source_sha256', 'checkpoint_sha256', 'artefact_sha256'])
      for (const value of values(name)) expect(value, name).toMatch(/^[0-9a-f]{64}$/);
    expect(values('reference_checkpoint_sha256')).toEqual(values('checkpoint_sha256'));
    expect(new Set(values('checkpoint_sha256')).size).toBe(2);
    expect(new Set(values('source_sha256')).size).toBe(1);
  });

  it('the page shows the chain of each loaded model', () => {
    const shown = report();
    const page = parityOnPage(shown);
    const { session } = shown.rows[0]!;
    for (const hash of [session!.chain!.source, session!.chain!.checkpoint, session!.artefact])
      expect(page).toContain(`>${shortHash(hash)}<`);
    expect(page).toContain('for every engine and the parity reference');
  });
});

describe('what does not share them', () => {
  it('is not compared within a precision, and the reason says so, also without the parity check', () => {
    for (const parity of [true, false]) {
      const options = { ...OPTIONS, parity };
      const { speedups, rows } = report(another('pytorch-eager', 'checkpoint'), options);
      const int4 = speedups.filter(({ cell }) => cell.precision === 'int4');
      expect(int4.length).toBeGreaterThan(0);
      for (const { speedup, reason } of int4) {
        expect(speedup).toBeNull();
        expect(reason).toMatch(
          /^other weights: .* computed with the canonical checkpoint [0-9a-f]{12}, the baseline PyTorch eager int4 with f{12}$/,
        );
      }
      const fp32 = speedups.filter(({ cell }) => cell.precision === 'fp32');
      for (const { speedup } of fp32) expect(speedup).not.toBeNull();
      expect(weightSentences(rows)[1]).toMatch(
        /: not one canonical checkpoint \(.*f{12}.*\); what differs is not compared\.$/,
      );
    }
  });

  it('is not compared across precisions where the source is another one', () => {
    const options = { ...OPTIONS, baselines: [{ engine: 'pytorch-eager', precision: 'fp32' }] };
    const same = report(undefined, options).speedups;
    expect(same.every(({ speedup }) => speedup !== null)).toBe(true);
    const { speedups } = report(another('onnxruntime', 'source'), options);
    const refused = speedups.filter(({ speedup }) => speedup === null);
    expect(refused.map(({ cell }) => `${cell.engine} ${cell.precision}`)).toEqual(
      new Array(2).fill('onnxruntime int4'),
    );
    for (const { reason } of refused) expect(reason).toContain('with the source ffffffffffff');
  });

  it('has no parity with a reference that computed with other weights', () => {
    const { rows, speedups } = report((record) =>
      record.kind === 'parity' && record.engine === 'llamacpp'
        ? { ...record, reference: { ...record.reference!, checkpoint: 'e'.repeat(64) } }
        : record,
    );
    for (const row of rows.filter(({ cell }) => cell.engine === 'llamacpp')) {
      expect(row.parity).toBe('unchecked');
      expect(row.parityReason).toContain(
        'the parity reference computed with the canonical checkpoint eeeeeeeeeeee',
      );
    }
    for (const { speedup, reason } of speedups.filter(({ cell }) => cell.engine === 'llamacpp')) {
      expect(speedup).toBeNull();
      expect(reason).toContain('nothing shows that llama.cpp computes the same');
    }
  });

  it('is told of two runs in one report', () => {
    const other = makeInput({ ...OPTIONS, edit: another('pytorch-eager', 'checkpoint', 'fp32') });
    const only = makeInput({
      ...OPTIONS,
      edit: (record) =>
        record.kind === 'session' && record.precision === 'fp32'
          ? { ...record, chain: { ...record.chain!, checkpoint: 'f'.repeat(64) } }
          : record,
    });
    expect(gather([makeInput(OPTIONS), only]).unlike.join()).toMatch(
      /Unlike canonical checkpoint of llama-tiny fp32: [0-9a-f]{12} \(.*\) · f{12}/,
    );
    expect(gather([other]).unlike).toEqual([]);
  });
});

it('results of earlier versions are read, compared, and said to be unknown', () => {
  const shown = report(withoutChain);
  expect(shown.speedups.every(({ speedup }) => speedup !== null)).toBe(true);
  expect(weightSentences(shown.rows)).toEqual(
    ['fp32', 'int4'].map(
      (precision) =>
        `Llama Tiny, ${precision}: unknown whether engines share one canonical checkpoint, for the run does not say.`,
    ),
  );
  expect(parityOnPage(shown)).toContain('>unknown<');
  const column = SUMMARY_COLUMNS.find(({ name }) => name === 'checkpoint_sha256')!;
  expect(shown.rows.map((row) => column.value(row))).toEqual(shown.rows.map(() => null));
});
