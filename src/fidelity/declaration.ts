import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { didYouMean } from '../config/suggest.ts';
import { parseYaml, readYamlFile } from '../config/yaml.ts';
import { YARDSTICKS } from '../engines/yardsticks.ts';
import { UserError } from '../errors.ts';

const sizes = z.array(z.int().min(1)).min(1);

const comparisonSchema = z.strictObject({
  engine: z.string(),
  /** How rows call it, where an engine is compared more than once. */
  name: z.string().min(1).optional(),
  /** One of the engine's builds that this machine may have. */
  build: z.string().optional(),
  options: z.record(z.string(), z.unknown()).default({}),
  /** A bar is the least ratio of throughputs, ortbench's driver over the tool; null publishes the ratio only. */
  tools: z.array(z.strictObject({ tool: z.string(), bar: z.number().positive().nullable() })).min(1),
  models: z.array(z.string()).min(1),
  /** Precisions, and formats that the engine's yardsticks know besides. */
  weights: z.array(z.string()).min(1),
  batchSizes: sizes,
  promptLengths: sizes,
  generate: z.int().min(3),
});

export const declarationSchema = z.strictObject({
  /** From six on there is a 95 % interval. */
  rounds: z.int().min(1),
  /** How many times driver and tools are opened anew; the rounds are spread over them. */
  sittings: z.int().min(1).default(1),
  /** A cell that does not meet a bar after these rounds gets so many more, each in a sitting of its own. */
  moreRounds: z.int().min(0).default(0),
  /** A phase is repeated within a turn until it has taken so long. */
  minTimedSeconds: z.number().min(0),
  seed: z.int().default(1),
  comparisons: z.array(comparisonSchema).min(1),
});
export type Declaration = z.output<typeof declarationSchema> & {
  /** Models are names in the catalogue, or paths relative to this. */
  readonly baseDir: string;
};
export type Comparison = z.output<typeof comparisonSchema>;

export const nameOf = ({ name, engine }: Comparison): string => name ?? engine;

/** Which part of a declaration is run. */
export interface Choice {
  readonly engine?: readonly string[] | undefined;
  readonly model?: readonly string[] | undefined;
}

/** @throws UserError for a file that is no declaration, and for names that no engine or tool has. */
export async function loadDeclaration(file: string): Promise<Declaration> {
  const declaration = parseYaml(await readYamlFile(file), file, declarationSchema);
  for (const { engine, tools, build } of declaration.comparisons) {
    const load = YARDSTICKS[engine];
    if (load === undefined)
      throw unknown(file, 'engine with tools to compare', engine, Object.keys(YARDSTICKS));
    const known = await load();
    for (const { tool } of tools)
      if (known.tools[tool] === undefined)
        throw unknown(file, `tool of ${engine}`, tool, Object.keys(known.tools));
    if (build !== undefined && known.builds[build] === undefined)
      throw unknown(file, `build of ${engine}`, build, Object.keys(known.builds));
  }
  return { ...declaration, baseDir: dirname(resolve(file)) };
}

/** `--engine` takes an engine, which means all its comparisons, or the name of one. @throws UserError when nothing is left. */
export function choose(declaration: Declaration, { engine, model }: Choice): Comparison[] {
  const { comparisons } = declaration;
  const names = [...new Set(comparisons.flatMap((entry) => [entry.engine, nameOf(entry)]))];
  for (const wanted of engine ?? []) {
    if (!names.includes(wanted))
      throw new UserError(
        `--engine ${wanted}: not compared${didYouMean(wanted, names) || `; there are ${names.join(', ')}`}`,
      );
  }
  const chosen = comparisons.filter(
    (entry) => engine === undefined || engine.includes(entry.engine) || engine.includes(nameOf(entry)),
  );
  return model === undefined ? chosen : chosen.map((entry) => ({ ...entry, models: [...model] }));
}

function unknown(file: string, what: string, name: string, known: readonly string[]): UserError {
  return new UserError(`${file}: there is no ${what} ${JSON.stringify(name)}${didYouMean(name, known)}`, {
    hint: `there are ${known.join(', ') || 'none'}`,
  });
}
