/** Values of enum ggml_log_level. */
const ERROR = 4;
const CONTINUE = 5;

const KEPT_ERRORS = 8;
const CAPTURED_LINES = 2000;

/**
 * Takes the library's log instead of letting it write to stderr: the last errors become part of EngineErrors, and what
 * it says while loading is the only place where some facts (flash attention chosen, buffer sizes) can be read.
 */
export class LogSink {
  #errors: string[] = [];
  #captured: string[] | null = null;
  #lastLevel = 0;

  /** The callback for llama_log_set. */
  write(level: number, text: string): void {
    const line = text.trimEnd();
    const effectiveLevel = level === CONTINUE ? this.#lastLevel : level;
    this.#lastLevel = effectiveLevel;
    if (line === '') return;
    if (effectiveLevel === ERROR) {
      this.#errors.push(line);
      if (this.#errors.length > KEPT_ERRORS) this.#errors.shift();
    }
    if (this.#captured !== null && this.#captured.length < CAPTURED_LINES) this.#captured.push(line);
  }

  /** Runs `work` and returns its value with every line logged meanwhile. */
  capture<T>(work: () => T): { value: T; lines: readonly string[] } {
    const lines: string[] = [];
    this.#captured = lines;
    try {
      return { value: work(), lines };
    } finally {
      this.#captured = null;
    }
  }

  /** Errors since the last call, oldest first, on one line; empty when there were none. */
  takeErrors(): string {
    const errors = this.#errors.join('; ');
    this.#errors = [];
    return errors;
  }
}

/** MiB of each buffer of a kind, from lines such as "load_tensors: CPU_REPACK model buffer size = 12.00 MiB". */
export function bufferSizesMiB(
  lines: readonly string[],
  kind: 'model' | 'KV' | 'compute',
): ReadonlyMap<string, number> {
  const pattern = new RegExp(`(\\S+) ${kind} buffer size\\s*=\\s*([\\d.]+) MiB`);
  const sizes = new Map<string, number>();
  for (const line of lines) {
    const match = pattern.exec(line);
    if (match !== null) sizes.set(match[1]!, (sizes.get(match[1]!) ?? 0) + Number(match[2]));
  }
  return sizes;
}

/** What "auto" was resolved to; null when the log does not say. */
export function resolvedFlashAttention(lines: readonly string[]): 'on' | 'off' | null {
  for (const line of lines) {
    const match = /Flash Attention\b.*\b(enabled|disabled)\b/.exec(line);
    if (match !== null) return match[1] === 'enabled' ? 'on' : 'off';
  }
  return null;
}
