import { describe, expect, it } from 'vitest';
import { EngineError } from '../../src/errors.ts';
import { inspectPython } from '../../src/python/inspect.ts';

describe('inspectPython', () => {
  it('reads versions without importing a package, once for each interpreter', async () => {
    const inspection = await inspectPython('python3');
    expect(inspection.python).toMatch(/^3\.\d+\.\d+/);
    expect(typeof inspection.headers).toBe('boolean');
    expect(inspectPython('python3')).toBe(inspectPython('python3'));
  });

  it('is an engine error, not a crash, when the interpreter does not start', async () => {
    await expect(inspectPython('/nowhere/python')).rejects.toBeInstanceOf(EngineError);
  });
});
