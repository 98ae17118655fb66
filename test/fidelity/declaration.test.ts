import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { ENGINES } from '../../src/engines/index.ts';
import { YARDSTICKS } from '../../src/engines/yardsticks.ts';
import { choose, loadDeclaration, nameOf } from '../../src/fidelity/declaration.ts';
import { PRECISIONS } from '../../src/schema/vocabulary.ts';

const shipped = fileURLToPath(new URL('../../configs/fidelity.yaml', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ortbench-fidelity-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(comparison: string): string {
  const path = join(folder, 'cells.yaml');
  const rest =
    'models: [llama-nano]\n    weights: [fp32]\n    batchSizes: [1]\n    promptLengths: [8]\n    generate: 4\n';
  writeFileSync(path, `rounds: 6\nminTimedSeconds: 0\ncomparisons:\n  - ${comparison}\n    ${rest}`);
  return path;
}

describe('configs/fidelity.yaml', () => {
  it('compares every engine that has tools, but the one for tests, with enough rounds for an interval', async () => {
    const { comparisons, rounds } = await loadDeclaration(shipped);
    expect(rounds).toBeGreaterThanOrEqual(6);
    const engines = new Set(comparisons.map(({ engine }) => engine));
    expect([...engines].sort()).toEqual(
      Object.keys(YARDSTICKS)
        .filter((id) => id !== 'fake')
        .sort(),
    );
    const names = comparisons.map(nameOf);
    expect(new Set(names).size).toBe(names.length);
  });

  it('asks for options, precisions and formats that the engines know', async () => {
    for (const { engine, options, weights } of (await loadDeclaration(shipped)).comparisons) {
      const { meta, options: schema } = await ENGINES[engine]!();
      expect(() => schema.parse(options)).not.toThrow();
      const { formats } = await YARDSTICKS[engine]!();
      for (const name of weights) {
        const precision = PRECISIONS.find((known) => known === name);
        if (precision === undefined) expect(formats, name).toHaveProperty(name);
        else expect(meta.precisions.cpu?.[precision]).toBe(true);
      }
    }
  });
});

describe('loadDeclaration', () => {
  it.each([
    [
      'engine: fakes\n    tools: [{ tool: slower, bar: 1 }]',
      'there is no engine with tools to compare "fakes"; did you mean "fake"?',
    ],
    [
      'engine: fake\n    tools: [{ tool: slow, bar: 1 }]',
      'there is no tool of fake "slow"; did you mean "slower"?',
    ],
    [
      'engine: fake\n    build: quick\n    tools: [{ tool: slower, bar: 1 }]',
      'there is no build of fake "quick"',
    ],
    ['engine: fake\n    tools: []', 'comparisons[0].tools'],
  ])('refuses %j', async (text, message) => {
    await expect(loadDeclaration(file(text))).rejects.toThrow(message);
  });
});

describe('choose', () => {
  it('takes an engine, a comparison’s name, and another model', async () => {
    const declaration = await loadDeclaration(shipped);
    const both = choose(declaration, { engine: ['llamacpp'] });
    expect(both.length).toBeGreaterThan(1);
    expect(both.every(({ engine }) => engine === 'llamacpp')).toBe(true);
    const named = choose(declaration, { engine: [nameOf(both[1]!)], model: ['llama-nano'] });
    expect(named.map(nameOf)).toEqual([nameOf(both[1]!)]);
    expect(named[0]!.models).toEqual(['llama-nano']);
    expect(() => choose(declaration, { engine: ['lamacpp'] })).toThrow('did you mean "llamacpp"?');
  });
});
