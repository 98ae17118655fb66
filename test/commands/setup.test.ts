import { afterEach, expect, it, vi } from 'vitest';
import { runSetup } from '../../src/commands/setup.ts';
import { UserError } from '../../src/errors.ts';

afterEach(() => vi.unstubAllEnvs());

it('refuses an environment that is none', async () => {
  vi.stubEnv('ORTBENCH_PYTHON', '/nowhere/at/all');
  await expect(runSetup({})).rejects.toThrow(UserError);
});
