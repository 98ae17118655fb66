import { resolve } from 'node:path';
import { ENGINES } from '../engines/index.ts';
import { modelNames } from '../models/catalogue.ts';
import { type Published, publishedSchema } from '../schema/published.ts';
import type { Sweep } from '../schema/sweep.ts';
import { type Problem, problemsError, type YamlSource } from './source.ts';
import { didYouMean } from './suggest.ts';
import { parseYamlSource, readYamlFile } from './yaml.ts';

/** The published figures of a sweep's models, by their names without a cut; null where it names no file of them. */
export async function loadPublished(
  sweep: Sweep,
  baseDir: string,
  models: readonly string[],
): Promise<Published | null> {
  if (sweep.published === undefined) return null;
  const { source, systems } = await readPublished(resolve(baseDir, sweep.published));
  return { source, systems: systems.filter(({ model }) => models.includes(model)) };
}

/** Reads and checks a file of published figures. Throws UserError with line and column. */
export async function readPublished(path: string): Promise<Published> {
  const { value, source } = parseYamlSource(await readYamlFile(path), path, publishedSchema);
  const problems = value.systems.flatMap((system, i) => [
    ...unknown(source, ['systems', i, 'model'], 'model', system.model, modelNames()),
    ...system.claims.flatMap(({ engine, baseline }, k) => {
      const at = ['systems', i, 'claims', k];
      const known = Object.keys(ENGINES);
      return [
        ...unknown(source, [...at, 'engine'], 'engine', engine, known),
        ...baseline.engines.flatMap((name, n) =>
          unknown(source, [...at, 'baseline', 'engines', n], 'engine', name, known),
        ),
      ];
    }),
  ]);
  if (problems.length > 0) throw problemsError(path, problems);
  return value;
}

function unknown(
  source: YamlSource,
  path: readonly PropertyKey[],
  what: string,
  name: string,
  known: readonly string[],
): Problem[] {
  if (known.includes(name)) return [];
  return [source.problem(path, `no ${what} is called ${JSON.stringify(name)}${didYouMean(name, known)}`)];
}
