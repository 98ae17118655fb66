import type { EngineChoice, Sweep } from '../schema/sweep.ts';
import type { Engine } from './engine.ts';

/** Defaults, then the sweep's options for the engine, then the variant's own. @throws ZodError for an unknown one. */
export function optionsOf(
  engine: Engine,
  choice: EngineChoice,
  sweep: Pick<Sweep, 'engineOptions'>,
): Record<string, unknown> {
  return engine.options.parse({ ...sweep.engineOptions[choice.engine], ...choice.options });
}
