import { nearest } from '../config/suggest.ts';
import type { Engine } from '../engines/engine.ts';
import { ENGINES } from '../engines/index.ts';
import { UserError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { ensurePythonEnvironment } from '../python/environment.ts';
import { inspectPython } from '../python/inspect.ts';

export interface SetupOptions {
  readonly json?: boolean;
  /** What the named engine is better with, built for this machine. */
  readonly native?: boolean;
}

const onProgress = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/**
 * `ortbench setup`: makes the Python environment with its pinned versions, or says that it is there. With an engine, makes
 * what that engine needs; with `--native`, what it declares to be faster with.
 */
export async function runSetup(engineId: string | undefined, options: SetupOptions): Promise<number> {
  if (engineId === undefined) {
    if (options.native) {
      const hint = `name an engine: ${await commandsWithNative()}`;
      throw new UserError('--native builds the library of one engine, and none is named', { hint });
    }
    return setUpPython(options);
  }
  const load = Object.hasOwn(ENGINES, engineId) ? ENGINES[engineId] : undefined;
  if (load === undefined) {
    const near = nearest(engineId, Object.keys(ENGINES));
    throw new UserError(`there is no engine ${JSON.stringify(engineId)}`, {
      hint:
        near.length > 0
          ? `did you mean ${near.join(' or ')}?`
          : `engines: ${Object.keys(ENGINES).join(', ')}`,
    });
  }
  return setUpEngine(await load(), options);
}

async function setUpEngine(engine: Engine, options: SetupOptions): Promise<number> {
  const { id } = engine.meta;
  if (options.native) {
    const installation = engine.installs?.native;
    if (installation === undefined) {
      const hint = `engines that have one: ${await commandsWithNative()}`;
      throw new UserError(`the engine ${id} has no native build`, { hint });
    }
    const { path = '', ...facts } = await installation.run(onProgress);
    return print(options, { engine: id, path, ...facts }, path, facts);
  }
  await engine.install?.(onProgress);
  const availability = await engine.probe('cpu', engine.options.parse({}));
  if (!availability.available) {
    throw new UserError(`${id}: ${availability.reason}`, { hint: availability.mend });
  }
  for (const note of availability.notes) onProgress(note);
  return print(options, { engine: id, versions: availability.versions }, id, availability.versions);
}

async function setUpPython(options: SetupOptions): Promise<number> {
  const interpreter = await ensurePythonEnvironment(onProgress);
  const { python, packages } = await inspectPython(interpreter);
  return print(options, { interpreter, python, packages }, interpreter, { python, ...packages });
}

function print(
  { json }: SetupOptions,
  result: object,
  what: string,
  versions: Readonly<Record<string, string>>,
): number {
  const list = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const text = json ? JSON.stringify(result, null, 2) : `ready: ${what}\n${list.join(', ')}`;
  process.stdout.write(`${text}\n`);
  return EXIT.ok;
}

async function commandsWithNative(): Promise<string> {
  const engines = await Promise.all(Object.values(ENGINES).map((load) => load()));
  const commands = engines.flatMap(({ meta, installs }) =>
    installs?.native ? [`npx ortbench setup ${meta.id} --native (${installs.native.does})`] : [],
  );
  return commands.join('; ');
}
