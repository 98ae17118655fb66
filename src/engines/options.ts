import type { EngineChoice, Sweep } from '../schema/sweep.ts';
import type { Engine } from './engine.ts';

/** Options as a sweep gives them for an engine, its variant's own over them; neither checked nor completed. */
export function givenOptions(
  choice: EngineChoice,
  sweep: Pick<Sweep, 'engineOptions'>,
): Readonly<Record<string, unknown>> {
  return { ...sweep.engineOptions[choice.engine], ...choice.options };
}

/** Defaults, then the sweep's options for the engine, then the variant's own. @throws ZodError for an unknown one. */
export function optionsOf(
  engine: Engine,
  choice: EngineChoice,
  sweep: Pick<Sweep, 'engineOptions'>,
): Record<string, unknown> {
  return engine.options.parse(givenOptions(choice, sweep));
}
