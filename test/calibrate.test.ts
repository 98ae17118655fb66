import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { tolerancesFor } from '../src/runner/parity/tolerance.ts';
import type { ParityRecord } from '../src/schema/record.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const MINUTES = 60_000;

function calibrate(...args: string[]) {
  const file = join(root, 'scripts/calibrate-parity.mjs');
  const env = { ...process.env, CI: '1', DEBUG: 'ortbench' };
  return spawnSync(process.execPath, [file, '--no-controls', '--json', ...args], {
    cwd: root,
    encoding: 'utf8',
    env,
  });
}

interface Result {
  readonly records: readonly (ParityRecord & { seed: number })[];
  readonly proposals: readonly Record<'heldTo' | 'figure' | 'seen' | 'least' | 'inForce', unknown>[];
}

describe('npm run calibrate:parity', () => {
  it(
    'measures a model, proposes by the rule, and measures nothing twice',
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'ortbench-calibrate-'));
      const [stored, page] = [join(folder, 'records.jsonl'), join(folder, 'parity.md')];
      cpSync(join(root, 'docs/parity.md'), page);
      const one = ['--models', 'mistral-nano-window', '--engines', 'llamacpp', '--precisions', 'fp32'];
      const args = [...one, '--seeds', '1', '--lengths', '8,200', '--records', stored, '--page', page];
      const first = calibrate(...args);
      expect(first.status, first.stderr).toBe(0);
      const { records, proposals } = JSON.parse(first.stdout) as Result;
      // What goes beyond the window of 32 is cut for an engine that ignores it.
      expect(records.map(({ promptLength, steps, verdict }) => [promptLength, steps, verdict])).toEqual([
        [{ length: 8, spread: 0 }, 17, 'match'],
        [{ length: 8, spread: 0.6 }, 17, 'match'],
        [{ length: 15, spread: 0 }, 17, 'match'],
        [{ length: 15, spread: 0.6 }, 17, 'match'],
      ]);
      const errors = records.map(({ figures }) => figures!.normalisedError);
      expect(Math.min(...errors)).toBeGreaterThan(0);
      expect(proposals.find(({ figure }) => figure === 'normalisedError')).toMatchObject({
        heldTo: 'fp32',
        seen: Math.max(...errors),
        least: 2.5 * Math.max(...errors),
        inForce: tolerancesFor({}, 'fp32', { activation: 'silu', layers: 2 }).normalisedError,
      });

      const written = readFileSync(page, 'utf8');
      for (const name of ['families', 'measured', 'proposed']) {
        const section = new RegExp(`<!-- ${name} -->([\\s\\S]*)<!-- /${name} -->`).exec(written)![1];
        expect(section).toContain('llamacpp');
        expect(section, 'tables of what was measured').not.toContain('onnxruntime');
      }

      const kept = readFileSync(stored, 'utf8');
      const second = calibrate(...args);
      expect(second.stderr).toBe('');
      expect(JSON.parse(second.stdout)).toEqual(JSON.parse(first.stdout));
      expect(readFileSync(stored, 'utf8')).toBe(kept);
    },
    5 * MINUTES,
  );

  it('refuses what it does not know', () => {
    const { status, stderr } = calibrate('--engines', 'onnx');
    expect(status).toBe(2);
    expect(stderr).toMatch(/^error: --engines onnx: expected some of .*onnxruntime/);
    expect(calibrate('--lengths', '0').stderr).toMatch(/^error: --lengths 0/);
  });
});
