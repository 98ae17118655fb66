import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** Instruction sets that a compiler's -march=native looks at; a kernel adds others without the processor changing. */
const INSTRUCTION_SETS =
  /^(sse\d?\w*|ssse3|avx\w*|fma|f16c|bmi\d|amx_\w+|gfni|vaes|asimd\w*|i8mm|bf16|sve\w*|sme2?(_\w+)?|fphp)$/;

/**
 * What code made for this machine needs to find again: a build for one processor may not start, or be slow, on another.
 * @param cpuInfo text of Linux's /proc/cpuinfo; '' elsewhere, where the model says all
 */
export function describeProcessor(model: string, cpuInfo: string): string {
  const flags = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(cpuInfo)?.[1]?.split(/\s+/) ?? [];
  const relevant = flags.filter((flag) => INSTRUCTION_SETS.test(flag)).sort();
  return [`${process.platform}-${process.arch}`, model.trim(), ...relevant].join(' ');
}

export function thisProcessor(): string {
  const cpuInfo = process.platform === 'linux' ? readFileSync('/proc/cpuinfo', 'utf8') : '';
  return describeProcessor(cpus()[0]?.model ?? 'unknown', cpuInfo);
}

export const FOLDER_PREFIX = 'llamacpp-native-';

/** Folder below the cache root: one for each source, compiler, way of building and processor. */
export function buildFolderName(parts: {
  readonly sourceSha256: string;
  readonly compiler: string;
  readonly settings: readonly string[];
  readonly processor: string;
}): string {
  const { sourceSha256, compiler, settings, processor } = parts;
  const hash = createHash('sha256').update(JSON.stringify([sourceSha256, compiler, settings, processor]));
  return `${FOLDER_PREFIX}${hash.digest('hex').slice(0, 12)}`;
}
