import type { Document, LineCounter, Node, Pair } from 'yaml';
import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import { UserError } from '../errors.ts';

/** Where a value stands in its file; 1-based, as editors count. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One mistake and where it is. `path` is '' for the whole document. */
export interface Problem extends Position {
  readonly path: string;
  readonly message: string;
}

type Path = readonly PropertyKey[];
const SHOWN_PROBLEMS = 50;

/** A parsed YAML file that can say where each of its values stands. */
export class YamlSource {
  readonly file: string;
  readonly document: Document.Parsed;
  readonly #lines: LineCounter;

  constructor(file: string, document: Document.Parsed, lines: LineCounter) {
    this.file = file;
    this.document = document;
    this.#lines = lines;
  }

  /**
   * Position of the value at `path`, or of its key. A path that leads nowhere (a missing key, a default, a field that
   * a shorthand stands for) gives the position of its nearest existing parent.
   */
  locate(path: Path, at: 'key' | 'value' = 'value'): Position {
    let node: Node | null | undefined = this.document.contents;
    let position = this.#position(node);
    for (const [depth, segment] of path.entries()) {
      const found = child(resolveAlias(node, this.document), segment);
      if (found === null) break;
      const last = depth === path.length - 1;
      position = this.#position(
        last && at === 'key' ? (found.key ?? found.value) : (found.value ?? found.key),
      );
      node = found.value;
    }
    return position;
  }

  /** A problem with the value (or key) at `path`. */
  problem(path: Path, message: string, at: 'key' | 'value' = 'value'): Problem {
    return { ...this.locate(path, at), path: formatPath(path), message };
  }

  /** A problem at a character offset, for mistakes found before there is a document. */
  problemAt(offset: number, message: string): Problem {
    return { ...this.#offset(offset), path: '', message };
  }

  #position(node: Node | null | undefined): Position {
    return this.#offset(node?.range?.[0] ?? 0);
  }

  #offset(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }
}

/** All problems of one file as one error, a line each, in the order of the file. */
export function problemsError(file: string, problems: readonly Problem[], hint?: string): UserError {
  const sorted = [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
  const lines = sorted.slice(0, SHOWN_PROBLEMS).map((problem) => {
    const path = problem.path === '' ? '' : `${problem.path}: `;
    return `${file}:${problem.line}:${problem.column}: ${path}${problem.message}`;
  });
  if (sorted.length > SHOWN_PROBLEMS) lines.push(`… and ${sorted.length - SHOWN_PROBLEMS} more problems`);
  return new UserError(lines.join('\n'), hint === undefined ? {} : { hint });
}

/** `promptLengths[1].length`; keys that are no plain words are quoted. */
export function formatPath(path: Path): string {
  let text = '';
  for (const segment of path) {
    if (typeof segment === 'number') text += `[${segment}]`;
    else if (/^[\w$-]{1,80}$/.test(String(segment))) text += (text === '' ? '' : '.') + String(segment);
    else text += `[${JSON.stringify(String(segment).slice(0, 80))}]`;
  }
  return text;
}

interface Found {
  key: Node | null;
  value: Node | null;
}

function child(node: Node | null | undefined, segment: PropertyKey): Found | null {
  if (isMap(node)) {
    const pair = (node.items as Pair<Node, Node | null>[]).find(
      (item) => keyText(item.key) === String(segment),
    );
    return pair === undefined ? null : { key: pair.key, value: pair.value };
  }
  if (isSeq(node)) {
    const item = node.items[Number(segment)] as Node | undefined;
    return item === undefined ? null : { key: null, value: item };
  }
  return null;
}

/** A mapping's key as JavaScript has it; null for keys that are no scalars. */
export function keyText(key: unknown): string | null {
  if (isScalar(key)) return key.value === null ? '' : String(key.value);
  return null;
}

function resolveAlias(node: Node | null | undefined, document: Document.Parsed): Node | null | undefined {
  return isAlias(node) ? (node.resolve(document) ?? null) : node;
}
