import { UserError } from '../../errors.ts';
import { availableMemoryMiB } from '../../machine/memory.ts';
import { modelNames, type ResolvedModel, resolveModel } from '../../models/catalogue.ts';
import { DEVICES, type Device, PRECISIONS, type Precision } from '../../schema/vocabulary.ts';
import { formatMiB } from '../../units.ts';
import type { NewOptions } from '../new.ts';
import type { Answers } from './answers.ts';
import { askOne, askSome, askText } from './ask.ts';
import { checkNumbers, numberOf, numbersOf } from './numbers.ts';
import {
  checkEngines,
  devicesHere,
  enginesFor,
  type MachineFacts,
  precisionsOf,
  proposedBaselines,
  proposedEngines,
  proposedGenerate,
  proposedPrecisions,
  proposedPromptLengths,
  weightsOf,
} from './proposal.ts';

/**
 * Every answer: the option that gives it, else the person where there is one, else what this machine proposes.
 * @param asks false where there is no terminal, or `--yes`
 */
export async function answer(
  given: string | undefined,
  options: NewOptions,
  asks: boolean,
): Promise<{ answers: Answers; model: ResolvedModel }> {
  const name = given ?? (await modelName(asks));
  const model = await resolveModel(name, process.cwd());
  const device = await deviceOf(options, asks);
  const facts: MachineFacts = { engines: await enginesFor(device), availableMiB: availableMemoryMiB() };
  const engines = await enginesOf(options, facts, device, asks);
  const precisions = await precisionsFor(options, facts, engines, model, asks);
  const text = async (value: string | undefined, message: string, initial: string) =>
    value ?? (asks ? await askText(message, initial, (typed) => checkNumbers(typed)) : initial);
  const batchSizes = await text(options.batchSizes, 'Batch sizes', '1, 4');
  const generate = numberOf(
    '--generate',
    await text(options.generate, 'Tokens generated', String(proposedGenerate(model.shape))),
    2,
  );
  const lengths = proposedPromptLengths(model.shape, generate).join(', ');
  const context = `Prompt lengths in tokens (the context holds ${model.shape.maxContextLength})`;
  const promptLengths = await text(options.promptLengths, context, lengths);
  return {
    model,
    answers: {
      model: name,
      title: options.title ?? model.spec.title ?? model.spec.name,
      device,
      engines,
      precisions,
      batchSizes: numbersOf('--batch-sizes', batchSizes, 1, 4096),
      promptLengths: numbersOf('--prompt-lengths', promptLengths),
      generate,
      repetitions: numberOf('--repetitions', options.repetitions ?? '6', 1, 10_000),
      baselines: await baselinesOf(options, facts, engines, asks),
    },
  };
}

async function modelName(asks: boolean): Promise<string> {
  const names = modelNames();
  if (asks) {
    const choices = names.map((value) => ({ value, label: value }));
    return askOne('Which model?', choices, names.includes('llama-tiny') ? 'llama-tiny' : names[0]!);
  }
  throw new UserError('no model is named, and there is no terminal to ask on', {
    hint: `ortbench new MODEL; there are ${names.join(', ')}, or the path of a model file`,
  });
}

async function deviceOf({ device }: NewOptions, asks: boolean): Promise<Device> {
  if (device !== undefined) {
    if ((DEVICES as readonly string[]).includes(device)) return device as Device;
    throw new UserError(`--device ${device}: expected one of ${DEVICES.join(', ')}`);
  }
  if (!asks) return 'cpu';
  const here = await devicesHere();
  if (here.length < 2) return here[0] ?? 'cpu';
  return askOne(
    'On which device?',
    here.map((value) => ({ value, label: value })),
    'cpu',
  );
}

async function enginesOf(
  { engine }: NewOptions,
  facts: MachineFacts,
  device: Device,
  asks: boolean,
): Promise<readonly string[]> {
  if (engine !== undefined) {
    checkEngines(facts, device, engine);
    return [...new Set(engine)];
  }
  const proposed = proposedEngines(facts);
  if (!asks) {
    if (proposed.length > 0) return proposed;
    throw new UserError(`no engine can run on ${device} here`, {
      hint: 'see npx ortbench doctor, or name some with --engine',
    });
  }
  const choices = facts.engines.map(({ id, title, missing, installsItself }) => {
    const state =
      missing === null ? 'ready' : `${installsItself ? 'installed by the sweep' : 'not here'}: ${missing}`;
    return { value: id, label: title, hint: state };
  });
  return askSome('Which engines?', choices, proposed);
}

async function precisionsFor(
  { precision }: NewOptions,
  facts: MachineFacts,
  engines: readonly string[],
  { shape }: ResolvedModel,
  asks: boolean,
): Promise<readonly Precision[]> {
  if (precision !== undefined) {
    const unknown = precision.find((name) => !(PRECISIONS as readonly string[]).includes(name));
    if (unknown === undefined) return [...new Set(precision as Precision[])];
    throw new UserError(`--precision ${unknown}: expected one of ${PRECISIONS.join(', ')}`);
  }
  const proposed = proposedPrecisions(facts, engines, shape);
  if (!asks) return proposed;
  const choices = precisionsOf(facts, engines).map(({ precision: value, engines: able, refusal }) => ({
    value,
    label: value,
    hint: refusal === null ? `${weightsOf(shape, value)}; ${able.join(', ')}` : refusal,
  }));
  return askSome(
    `Which precisions? (${formatMiB(facts.availableMiB)} of memory are free)`,
    choices,
    proposed,
  );
}

async function baselinesOf(
  { baseline }: NewOptions,
  facts: MachineFacts,
  engines: readonly string[],
  asks: boolean,
): Promise<readonly string[]> {
  if (baseline !== undefined) {
    const stranger = baseline.find((name) => !engines.includes(name));
    if (stranger === undefined) return [...new Set(baseline)];
    throw new UserError(`--baseline ${stranger} is none of the engines of this sweep`, {
      hint: `engines: ${engines.join(', ')}`,
    });
  }
  const proposed = proposedBaselines(engines);
  if (!asks || engines.length < 2) return proposed;
  const titleOf = (id: string) => facts.engines.find((engine) => engine.id === id)?.title ?? id;
  const choices = engines.map((value) => ({ value, label: titleOf(value) }));
  return askSome('What are speedups divided by?', choices, proposed, false);
}
