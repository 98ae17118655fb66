import * as clack from '@clack/prompts';
import { EXIT } from '../../exit-codes.ts';

/** The person pressed Ctrl-C or Escape: nothing was written. */
export class Cancelled extends Error {
  readonly exitCode = EXIT.interrupted;
}

/** Unwraps an answer. @throws Cancelled */
async function answered<T>(prompt: Promise<T>): Promise<Exclude<T, symbol>> {
  const answer = await prompt;
  if (clack.isCancel(answer)) {
    clack.cancel('Nothing was written.');
    throw new Cancelled();
  }
  return answer as Exclude<T, symbol>;
}

export interface Choice<T> {
  readonly value: T;
  readonly label: string;
  readonly hint?: string;
}

export const begin = (title: string): void => clack.intro(title);
export const end = (text: string): void => clack.outro(text);

export async function askOne<T extends string>(
  message: string,
  choices: readonly Choice<T>[],
  initial: T,
): Promise<T> {
  const options = choices as unknown as Parameters<typeof clack.select<T>>[0]['options'];
  return await answered(clack.select<T>({ message, options, initialValue: initial, maxItems: 12 }));
}

export async function askSome<T extends string>(
  message: string,
  choices: readonly Choice<T>[],
  initial: readonly T[],
  required = true,
): Promise<T[]> {
  const options = choices as unknown as Parameters<typeof clack.multiselect<T>>[0]['options'];
  return await answered(
    clack.multiselect<T>({ message, options, initialValues: [...initial], required, maxItems: 12 }),
  );
}

/** @param check what is wrong with a text, or nothing */
export async function askText(
  message: string,
  initial: string,
  check: (text: string) => string | undefined,
): Promise<string> {
  const validate = (text: string | undefined) => check(text === undefined || text === '' ? initial : text);
  const text = await answered(clack.text({ message, placeholder: initial, defaultValue: initial, validate }));
  return text === '' ? initial : text;
}

export const askWhether = (message: string): Promise<boolean> =>
  answered(clack.confirm({ message, initialValue: false }));
