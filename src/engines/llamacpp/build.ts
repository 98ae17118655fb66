import { readFileSync } from 'node:fs';

/** First compiler version whose float kernels were seen to keep their accumulators in registers. */
const GOOD_GCC = 12;

/**
 * The compiler that a shared library names in its `.comment` section, for example "GCC 11.4.0"; null when it names none.
 * @throws the file system's error when the file cannot be read.
 */
export function compilerOf(file: string): string | null {
  const text = readFileSync(file).toString('latin1');
  // First, for what Clang links in from the system's C library was compiled by GCC and says so, too.
  const clang = /clang version (\d+\.\d+(?:\.\d+)?)/.exec(text);
  if (clang !== null) return `Clang ${clang[1]}`;
  const gcc = /GCC: \([^)\0]*\) (\d+\.\d+(?:\.\d+)?)/.exec(text);
  return gcc === null ? null : `GCC ${gcc[1]}`;
}

/** What is recorded of the build says it surest; otherwise the file does. @throws the file system's error. */
export const libraryCompiler = (known: { readonly compiler?: string }, file: string): string | null =>
  known.compiler ?? compilerOf(file);

/** Old GCCs spill the accumulators of the f32, f16 and bf16 kernels: prompts run at half the speed of a newer build's. */
export function hasSlowFloatKernels(compiler: string | null): boolean {
  const match = /^GCC (\d+)/.exec(compiler ?? '');
  return match !== null && Number(match[1]) < GOOD_GCC;
}
