import { describe, expect, it } from 'vitest';
import type { Cell } from '../../src/schema/cell.ts';
import type { Run, VerificationRecord } from '../../src/schema/record.ts';
import { timingViolations } from '../../src/stats/identities.ts';
import { summariseRun } from '../../src/stats/run-summary.ts';
import { looksRepeated, verificationViolations } from '../../src/stats/verification.ts';

const cell: Cell = {
  engine: 'e',
  model: 'm',
  precision: 'fp32',
  device: 'cpu',
  batchSize: 2,
  promptLength: { length: 8, spread: 0 },
  generate: 5,
};
const ms = 1e6;
const run: Run = {
  prefillNs: 20 * ms,
  stepNs: [10, 10, 10, 10].map((value) => value * ms),
  selectNs: [1, 1, 1, 1, 1].map((value) => value * ms),
  wallNs: 66 * ms,
  recompiles: 0,
  tokensReturned: 10,
  tokensSha256: 'x',
};
const samples = [{ runs: [run] }];
const fresh = { prefillNs: 22 * ms, stepNs: [11 * ms, 11 * ms] };
const evidence: VerificationRecord = {
  kind: 'verification',
  cell,
  rowLengths: [5, 5],
  forcedTokens: 6,
  refutedTokens: 0,
  answersOtherPrompts: false,
  quickestCall: { callNs: 70 * ms, decodeNs: 40 * ms },
  fresh: [{ callNs: 47 * ms, run: fresh, repeated: null }],
};
const said = (changes: Partial<VerificationRecord>) =>
  verificationViolations(cell, samples, { ...evidence, ...changes }).join();

describe('verificationViolations', () => {
  it('finds nothing in honest evidence, nor where an engine shows nothing', () => {
    expect(said({})).toBe('');
    expect(said({ forcedTokens: 0, quickestCall: null, fresh: [] })).toBe('');
  });

  it('wants a row of tokens for every sequence', () => {
    expect(said({ rowLengths: [10] })).toMatch(/rows of 10 tokens for 1 sequences/);
    expect(said({ rowLengths: [5, 4] })).toMatch(/rows of 5, 4 tokens/);
    const told = [{ runs: [{ ...run, stepTotal: { steps: 4, ns: 40 * ms } }] }];
    expect(verificationViolations(cell, told, { ...evidence, rowLengths: [] })).toEqual([]);
  });

  it('wants answers that the logits choose', () => {
    expect(said({ refutedTokens: 1 })).toMatch(/1 of 6 tokens/);
    expect(said({ answersOtherPrompts: true })).toMatch(/other prompts/);
  });

  it('compares what was kept with what is new, and takes one slow moment for what it is', () => {
    const known = { prefillNs: 1000, stepNs: [9 * ms, 9 * ms] };
    const kept = { ...evidence.fresh[0]!, repeated: known };
    expect(said({ fresh: [kept, kept, kept] })).toMatch(/kept from earlier runs/);
    expect(said({ fresh: [kept, { ...kept, repeated: run }, kept] })).toBe('');
    // Each attempt for itself looks kept, once by its prefill and once by its steps: a machine that others use.
    const slowPrefill = { ...kept, run: { ...fresh, prefillNs: 600 * ms }, repeated: run };
    const slowSteps = { ...kept, run: { ...fresh, stepNs: [90 * ms, 90 * ms] }, repeated: run };
    for (const { run: made, repeated } of [slowPrefill, slowSteps])
      expect(looksRepeated(made, [repeated])).toBe(true);
    expect(said({ fresh: [slowPrefill, slowSteps, slowPrefill] })).toBe('');
    expect(looksRepeated(fresh, [known])).toBe(true);
    expect(looksRepeated({ prefillNs: 1000, stepNs: [300, 300] }, [{ prefillNs: 10, stepNs: [1, 1] }])).toBe(
      false,
    );
    expect(looksRepeated(fresh, [])).toBe(false);
  });

  it("holds steps against the harness's clock", () => {
    // The call took 100 ms longer than the fresh one, for two more steps.
    expect(said({ quickestCall: { callNs: 147 * ms, decodeNs: 25 * ms } })).toMatch(
      /3\.00 ms for decode steps that took 100 ms/,
    );
    expect(said({ quickestCall: { callNs: 147 * ms, decodeNs: 80 * ms } })).toBe('');
    expect(said({ quickestCall: { callNs: 77 * ms, decodeNs: 22 * ms } }), 'too little to tell').toBe('');
  });
});

describe('timingViolations', () => {
  const of = (changes: Partial<Run>) =>
    timingViolations([{ runs: [summariseRun(cell, { ...run, ...changes })] }]).join();

  it('finds nothing in an honest run', () => {
    expect(timingViolations([{ runs: [summariseRun(cell, run)] }])).toEqual([]);
    expect(timingViolations([])).toEqual([]);
  });

  it('finds work that was left to the selection', () => {
    const left = { prefillNs: 1000, selectNs: [20 * ms, 1, 1, 1, 1] };
    const runs = [summariseRun(cell, { ...run, ...left })];
    expect(timingViolations(Array.from({ length: 3 }, () => ({ runs }))).join()).toMatch(/after a prefill/);
    expect(of(left), 'the scheduler may hold up a lone prefill').not.toMatch(/after a prefill/);
    expect(of({ prefillNs: 1000, selectNs: [21 * ms, 1, 1, 1, 1] })).toMatch(/after a prefill/);
    expect(of({ stepNs: [1, 1, 1, 1], selectNs: [1, 10, 10, 10, 10].map((v) => v * ms) })).toMatch(
      /after a decode step/,
    );
  });

  it('finds work outside of all phases', () => {
    expect(of({ prefillNs: 10, stepNs: [1, 1, 1, 1], selectNs: [1, 1, 1, 1, 1] })).toMatch(/0 % of the wall/);
    expect(of({ prefillNs: 10, stepNs: [1, 1, 1, 1], selectNs: [1, 1, 1, 1, 1], wallNs: 1000 })).toBe('');
  });
});
