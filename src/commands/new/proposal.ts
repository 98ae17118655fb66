import { didYouMean } from '../../config/suggest.ts';
import type { Availability, Engine } from '../../engines/engine.ts';
import { ENGINES } from '../../engines/index.ts';
import { supportOf } from '../../engines/support.ts';
import { UserError } from '../../errors.ts';
import type { ModelShape } from '../../schema/model.ts';
import { DEVICES, type Device, PRECISIONS, type Precision } from '../../schema/vocabulary.ts';
import { bytesToMiB, formatMiB } from '../../units.ts';

/** What an engine can do here, as `doctor` finds it. */
export interface EngineFacts {
  readonly id: string;
  readonly title: string;
  /** Null where it can run; else what is missing. */
  readonly missing: string | null;
  /** It installs what it lacks when a sweep starts. */
  readonly installsItself: boolean;
  readonly precisions: Readonly<Record<Precision, true | string>>;
}

export interface MachineFacts {
  readonly engines: readonly EngineFacts[];
  readonly availableMiB: number;
}

/** Devices that some engine can run on here. */
export async function devicesHere(): Promise<Device[]> {
  const found = await Promise.all(
    DEVICES.map(async (device) =>
      (await enginesFor(device)).some(({ missing }) => missing === null) ? device : null,
    ),
  );
  return found.filter((device) => device !== null);
}

/** Every engine that loads models and has a path for the device, with what is missing for it. */
export async function enginesFor(device: Device): Promise<EngineFacts[]> {
  const engines = await Promise.all(Object.values(ENGINES).map((load) => load()));
  const fit = engines.filter(({ meta }) => meta.artefact !== 'none' && meta.precisions[device] !== undefined);
  return Promise.all(fit.map(async (engine) => factsOf(engine, device, await probe(engine, device))));
}

const probe = (engine: Engine, device: Device): Promise<Availability> =>
  engine.probe(device, engine.options.parse({}));

const factsOf = (engine: Engine, device: Device, availability: Availability): EngineFacts => ({
  id: engine.meta.id,
  title: engine.meta.title,
  missing: availability.available ? null : availability.reason,
  installsItself: engine.install !== undefined,
  precisions: Object.fromEntries(
    PRECISIONS.map((precision) => [precision, supportOf(engine.meta, device, precision, {})]),
  ) as EngineFacts['precisions'],
});

/** Those that run now; where none does, those that a sweep would install. */
export function proposedEngines({ engines }: MachineFacts): string[] {
  const ready = engines.filter(({ missing }) => missing === null);
  const proposed = ready.length > 0 ? ready : engines.filter(({ installsItself }) => installsItself);
  return proposed.map(({ id }) => id);
}

/** Precisions that at least one of the engines computes in, each with what the weights of the model take. */
export function precisionsOf(
  facts: MachineFacts,
  chosen: readonly string[],
): { precision: Precision; engines: string[]; refusal: string | null }[] {
  const engines = facts.engines.filter(({ id }) => chosen.includes(id));
  return PRECISIONS.map((precision) => {
    const able = engines.filter(({ precisions }) => precisions[precision] === true);
    const refusal = engines
      .map(({ precisions }) => precisions[precision])
      .find((support) => support !== true);
    return {
      precision,
      engines: able.map(({ id }) => id),
      refusal: able.length > 0 ? null : String(refusal ?? 'no engine'),
    };
  });
}

const BYTES_PER_WEIGHT: Readonly<Record<Precision, number>> = { fp32: 4, fp16: 2, bf16: 2, int4: 0.5625 };
/** More than the weights alone: cache, activations, a second engine's copy. The plan reckons it exactly. */
const ROOM = 2.5;

/** Full and quantised weights, as far as the model's weights fit the memory that is free with room to work in. */
export function proposedPrecisions(
  facts: MachineFacts,
  chosen: readonly string[],
  shape: ModelShape,
): Precision[] {
  const able = precisionsOf(facts, chosen).filter(({ engines }) => engines.length > 0);
  const fits = able.filter(
    ({ precision }) =>
      bytesToMiB(shape.parameters * BYTES_PER_WEIGHT[precision]) * ROOM <= facts.availableMiB,
  );
  const among = (fits.length > 0 ? fits : able.slice(-1)).map(({ precision }) => precision);
  const full = among.find((precision) => precision !== 'int4');
  return among.filter((precision) => precision === full || precision === 'int4');
}

/** Tokens that are generated unless the model's context is too short for them and a prompt. */
export const proposedGenerate = ({ maxContextLength }: ModelShape): number =>
  Math.max(2, Math.min(256, Math.floor(maxContextLength / 2)));

/** A short and a long prompt that fit the context together with what is generated. */
export function proposedPromptLengths({ maxContextLength }: ModelShape, generate: number): number[] {
  const room = Math.max(1, maxContextLength - generate);
  const fitting = [32, 256].filter((length) => length <= room);
  return fitting.length > 0 ? fitting : [room];
}

/** The engine that the others are divided by: any that is not the first. */
export const proposedBaselines = (engines: readonly string[]): string[] => engines.slice(1);

/** @throws UserError for an engine that has no path for the device, or that there is none of */
export function checkEngines(facts: MachineFacts, device: Device, wanted: readonly string[]): void {
  const ids = facts.engines.map(({ id }) => id);
  for (const id of wanted) {
    if (ids.includes(id)) continue;
    throw new UserError(`--engine ${id}: there is none for ${device}${didYouMean(id, ids)}`, {
      hint: `engines for ${device}: ${ids.join(', ')}`,
    });
  }
}

/** What a choice is told with: "0.21 GiB of weights". */
export const weightsOf = (shape: ModelShape, precision: Precision): string =>
  `${formatMiB(bytesToMiB(shape.parameters * BYTES_PER_WEIGHT[precision]))} of weights`;
