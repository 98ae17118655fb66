import { UserError } from '../errors.ts';
import { DEVICES, type Device, PRECISIONS, type Precision } from '../schema/vocabulary.ts';
import type { ReadFigure } from './read.ts';

/** What the user says of the files, where the tools do not, or name it otherwise. */
export interface Said {
  /** "NAME" for all, or "THEIRS=NAME". */
  readonly models: readonly string[];
  /** "fp32" for all, or "THEIRS=fp32". */
  readonly precisions: readonly string[];
  readonly device: string | null;
}

export interface Identity {
  readonly model: string;
  readonly precision: Precision;
  readonly device: Device;
}

/**
 * Which model, precision and device of ours a figure stands for.
 * @throws UserError where neither the tool nor the user says, or what they say is none of ours
 */
export function identify(figure: ReadFigure, said: Said): Identity {
  return {
    model: modelOf(figure, said.models),
    precision: precisionOf(figure, said.precisions),
    device: deviceOf(figure, said.device),
  };
}

function modelOf(figure: ReadFigure, said: readonly string[]): string {
  const name = choose(figure.model, said) ?? figure.model;
  if (name === null) {
    throw new UserError(`${figure.at}: ${figure.tool} does not say which model it ran`, {
      hint: 'add --model NAME, with the name that it has in your sweeps',
    });
  }
  const fit = name.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  return fit.slice(0, 80) || 'model';
}

/** llama.cpp ends a model's type with that of most weights; its Q4_0 is our int4: blocks of 32, symmetric. */
const WEIGHTS: readonly (readonly [pattern: RegExp, precision: Precision])[] = [
  [/(?:^|\s)(?:all )?F32$|^(?:torch\.)?float32$|^fp32$/i, 'fp32'],
  [/(?:^|\s)F16$|^(?:torch\.)?float16$|^fp16$/i, 'fp16'],
  [/(?:^|\s)BF16$|^(?:torch\.)?bfloat16$|^bf16$/i, 'bf16'],
  [/(?:^|\s)Q4_0$|^int4$/i, 'int4'],
];

function precisionOf(figure: ReadFigure, said: readonly string[]): Precision {
  const { weights, at, tool } = figure;
  const given = choose(weights, said);
  if (given !== null) {
    if ((PRECISIONS as readonly string[]).includes(given)) return given as Precision;
    throw new UserError(`--precision ${given}: expected one of ${PRECISIONS.join(', ')}`);
  }
  const known = weights === null ? undefined : WEIGHTS.find(([pattern]) => pattern.test(weights.trim()));
  if (known !== undefined) return known[1];
  const what =
    weights === null
      ? `${tool} does not say how its weights are stored`
      : `${tool} ran ${JSON.stringify(weights.slice(0, 80))} weights, which are none of ${PRECISIONS.join(', ')}`;
  throw new UserError(`${at}: ${what}`, {
    hint: 'add --precision NAME for the charts that it shall stand in; what the tool says is kept beside it',
  });
}

function deviceOf(figure: ReadFigure, said: string | null): Device {
  if (said !== null) {
    if ((DEVICES as readonly string[]).includes(said)) return said as Device;
    throw new UserError(`--device ${said}: expected one of ${DEVICES.join(', ')}`);
  }
  if (figure.device !== null) return figure.device;
  throw new UserError(`${figure.at}: ${figure.tool} does not say on which of ${DEVICES.join(', ')} it ran`, {
    hint: 'add --device NAME',
  });
}

/** The user's word for what a tool calls `theirs`; one without "=" is for all. */
function choose(theirs: string | null, said: readonly string[]): string | null {
  const pairs = said.map((text) => {
    const at = text.lastIndexOf('=');
    return at < 0 ? { from: null, to: text } : { from: text.slice(0, at), to: text.slice(at + 1) };
  });
  return (
    (pairs.find(({ from }) => from !== null && from === theirs) ?? pairs.find(({ from }) => from === null))
      ?.to ?? null
  );
}
