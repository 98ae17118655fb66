import { access, mkdir, rm } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type LoadedSweep, loadSweep } from '../config/load.ts';
import { UserError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { writeFileAtomic } from '../files/atomic.ts';
import { packageRoot } from '../files/package-root.ts';
import { enginesOf, machineFacts, metasOf } from '../plan/facts.ts';
import { planSweep } from '../plan/plan.ts';
import { formatDuration } from '../units.ts';
import { answer } from './new/answer.ts';
import type { Answers } from './new/answers.ts';
import { askText, askWhether, begin, Cancelled, end } from './new/ask.ts';
import { sweepText } from './new/text.ts';
import { summarisePlan } from './plan-summary.ts';

export interface NewOptions {
  readonly engine?: readonly string[];
  readonly precision?: readonly string[];
  readonly batchSizes?: string;
  readonly promptLengths?: string;
  readonly generate?: string;
  readonly repetitions?: string;
  readonly baseline?: readonly string[];
  readonly device?: string;
  readonly title?: string;
  readonly out?: string;
  readonly yes?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `ortbench new`: a commented sweep file that validates and plans on this machine. Returns the exit code. */
export async function runNew(model: string | undefined, options: NewOptions): Promise<number> {
  // Asks only where someone can answer: a script that forgot an option gets an error, not a question.
  const asks = process.stdin.isTTY === true && process.stdout.isTTY === true && !options.yes && !options.json;
  try {
    if (asks) begin('A new sweep');
    return await writeSweep(model, options, asks);
  } catch (error) {
    if (error instanceof Cancelled) return error.exitCode;
    throw error;
  }
}

async function writeSweep(given: string | undefined, options: NewOptions, asks: boolean): Promise<number> {
  const { answers, model } = await answer(given, options, asks);
  const proposed = `${model.spec.name}.yaml`;
  const file =
    options.out ??
    (asks
      ? await askText('Into which file?', proposed, (text) => (isYaml(text) ? undefined : NO_YAML))
      : proposed);
  if (!isYaml(file)) throw new UserError(`--out ${file}: ${NO_YAML}`);
  if (!options.force && (await isThere(file))) {
    const refusal = new UserError(`${file} is there already`, {
      hint: 'add --force to write over it, or name another file with --out',
    });
    if (!asks || !(await askWhether(`${file} is there already. Write over it?`))) throw refusal;
  }
  await mkdir(dirname(resolve(file)), { recursive: true });
  const text = sweepText(withModelPath(answers, file), schemaReference(file), file);
  const loaded = await checked(text, file);
  await writeFileAtomic(file, text);
  const outlook = await outlookOf(loaded);
  if (options.json) process.stdout.write(`${JSON.stringify({ file, ...outlook }, null, 2)}\n`);
  else {
    const { planned, cells, seconds } = outlook;
    const said = `${file}: ${planned} of ${cells} cells would run here, about ${formatDuration(seconds)}`;
    const next = `npx ortbench plan ${file}\nnpx ortbench sweep ${file}`;
    if (asks) end(`${said}\n${next}`);
    else console.log(`${said}\n${next}`);
  }
  return EXIT.ok;
}

const NO_YAML = 'the name of a sweep file ends in .yaml';
const isYaml = (file: string): boolean => /\.ya?ml$/i.test(file);

const isThere = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

/** The file names a model's file from where it lies itself, not from here. */
function withModelPath(answers: Answers, file: string): Answers {
  if (!/[\\/]|\.ya?ml$/.test(answers.model)) return answers;
  const path = posix(relative(dirname(resolve(file)), resolve(answers.model)));
  return { ...answers, model: path.startsWith('.') ? path : `./${path}` };
}

/** Relative within the checkout, so that the file can be shared with it; elsewhere by its whole address. */
function schemaReference(file: string): string {
  const schema = join(packageRoot, 'configs', 'sweep.schema.json');
  const folder = dirname(resolve(file));
  const inside = !relative(packageRoot, folder).startsWith('..');
  if (!inside) return pathToFileURL(schema).href;
  const path = posix(relative(folder, schema));
  return path.startsWith('.') ? path : `./${path}`;
}

const posix = (path: string): string => path.replaceAll('\\', '/');

/** Read as the sweep would read it, from beside its place: what does not validate is never put there. */
async function checked(text: string, file: string): Promise<LoadedSweep> {
  const draft = join(dirname(resolve(file)), `.${basename(file)}.${process.pid}.draft.yaml`);
  await writeFileAtomic(draft, text);
  try {
    return await loadSweep(draft);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`these choices do not make a sweep:\n${error.message.replaceAll(draft, file)}`, {
      hint: error.hint ?? 'nothing was written',
    });
  } finally {
    await rm(draft, { force: true });
  }
}

/** What the plan says of it on this machine, now. */
async function outlookOf(loaded: LoadedSweep) {
  const metas = metasOf(await enginesOf(loaded.sweep));
  const facts = await machineFacts(loaded, null);
  const plan = planSweep(loaded, metas, facts);
  const { counts, seconds, peakHostMiB, reasons } = summarisePlan(loaded, plan, metas, facts);
  return { cells: plan.cells.length, planned: counts.planned, seconds, peakHostMiB, reasons };
}
