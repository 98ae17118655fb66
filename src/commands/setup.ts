import { EXIT } from '../exit-codes.ts';
import { ensurePythonEnvironment } from '../python/environment.ts';
import { inspectPython } from '../python/inspect.ts';

/** `ortbench setup`: makes the Python environment with its pinned versions, or says that it is there. */
export async function runSetup(options: { readonly json?: boolean }): Promise<number> {
  const interpreter = await ensurePythonEnvironment((line) => process.stderr.write(`${line}\n`));
  const { python, packages } = await inspectPython(interpreter);
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ interpreter, python, packages }, null, 2)}\n`);
    return EXIT.ok;
  }
  const versions = Object.entries({ python, ...packages }).map(([name, version]) => `${name} ${version}`);
  process.stdout.write(`ready: ${interpreter}\n${versions.join(', ')}\n`);
  return EXIT.ok;
}
