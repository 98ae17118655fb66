import { UserError } from '../../errors.ts';

/** "1, 4" as whole numbers; null for what is none, or beyond the limits. */
export function parseNumbers(text: string, least = 1, most = 1_000_000): number[] | null {
  const parts = text.split(/[\s,]+/).filter((part) => part !== '');
  const numbers = parts.map(Number);
  const sound = numbers.every((number) => Number.isInteger(number) && number >= least && number <= most);
  return parts.length === 0 || !sound || new Set(numbers).size < numbers.length ? null : numbers;
}

export const checkNumbers = (text: string, least?: number, most?: number): string | undefined =>
  parseNumbers(text, least, most) === null ? 'whole numbers, apart by commas, each once' : undefined;

/** @throws UserError naming the option */
export function numbersOf(option: string, text: string, least?: number, most?: number): number[] {
  const numbers = parseNumbers(text, least, most);
  if (numbers !== null) return numbers;
  throw new UserError(
    `${option} ${text}: expected whole numbers of at least ${least ?? 1}, apart by commas, each once`,
  );
}

export function numberOf(option: string, text: string, least: number, most?: number): number {
  const numbers = numbersOf(option, text, least, most);
  if (numbers.length > 1) throw new UserError(`${option} ${text}: expected one number`);
  return numbers[0]!;
}
