import { loadSweep } from '../config/load.ts';
import { parseOnly } from '../plan/only.ts';
import type { SweepOptions } from './measuring.ts';
import { overridesOf } from './overrides.ts';

/**
 * `ortbench sweep`: reads the file, then measures what it asks for. Returns the exit code. What measuring needs is read
 * after the file, so that a mistake in it is said in half the time.
 */
export async function runSweep(configPath: string, options: SweepOptions): Promise<number> {
  const loaded = await loadSweep(configPath, overridesOf(options));
  const only = parseOnly(options.only ?? [], loaded.sweep, loaded.models);
  const { measureSweep } = await import('./measuring.ts');
  return measureSweep(loaded, only, options);
}
