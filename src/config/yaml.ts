import { type Document, isAlias, isMap, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
import type { z } from 'zod';
import { UserError } from '../errors.ts';
import { readBounded, UnreadableFile } from '../files/bounded.ts';
import { problemsOf } from './issues.ts';
import { findLimitBreach, MAX_FILE_BYTES } from './limits.ts';
import { keyText, type Problem, problemsError, YamlSource } from './source.ts';

/** Aliases may multiply the file by no more than this: a bomb of nested ones is refused while it is small. */
const MAX_ALIAS_COUNT = 100;

/**
 * Parses YAML 1.2 and validates it. Throws UserError that lists every problem, one per line, as
 * `file:line:column: path: what was expected, what was found`.
 */
export function parseYaml<T>(text: string, file: string, schema: z.ZodType<T>): T {
  return parseYamlSource(text, file, schema).value;
}

/** Like parseYaml, and keeps the positions, for checks that a schema cannot make. */
export function parseYamlSource<T>(
  text: string,
  file: string,
  schema: z.ZodType<T>,
): { value: T; source: YamlSource } {
  const lines = new LineCounter();
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) throw tooLarge(file);
  const breach = findLimitBreach(text);
  if (breach !== null) {
    const before = text.slice(0, breach.offset).split('\n');
    const position = { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
    throw problemsError(file, [{ ...position, path: '', message: breach.message }]);
  }
  // The parser's own check for duplicate keys is quadratic in the number of keys: duplicates are found below.
  const document = parseDocument(text, {
    version: '1.2',
    uniqueKeys: false,
    lineCounter: lines,
    prettyErrors: false,
  });
  const source = new YamlSource(file, document, lines);
  const syntax = [...document.errors, ...document.warnings].map((error) =>
    source.problemAt(
      error.pos[0],
      error.code === 'MULTIPLE_DOCS' ? 'more than one YAML document' : error.message,
    ),
  );
  if (document.directives.yaml.version !== '1.2')
    syntax.push(source.problemAt(0, 'expected YAML 1.2, found a %YAML directive of another version'));
  if (syntax.length === 0) syntax.push(...keyProblems(document, source));
  if (syntax.length > 0) throw problemsError(file, syntax);

  const input = toPlain(document, source);
  const result = schema.safeParse(input);
  if (!result.success) throw problemsError(file, problemsOf(result.error.issues, schema, input, source));
  return { value: result.data, source };
}

/** Reads a file of at most 1 MiB as UTF-8. Throws UserError when it cannot be read, is larger or is no text. */
export async function readYamlFile(file: string): Promise<string> {
  const hint = 'give the path of a YAML file';
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readBounded(file, MAX_FILE_BYTES));
  } catch (cause) {
    if (cause instanceof UnreadableFile)
      throw new UserError(`${file}:1:1: ${cause.message}`, { hint, cause });
    if (cause instanceof TypeError && !('path' in cause) && !file.includes('\0'))
      throw new UserError(`${file}:1:1: is not UTF-8 text`, { hint, cause });
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'no such file' : (code ?? message);
    throw new UserError(`${file.replaceAll('\0', '\\0')}: ${why}`, { hint, cause });
  }
}

function tooLarge(file: string): UserError {
  return new UserError(`${file}:1:1: larger than 1 MiB`, { hint: 'is this the file you meant?' });
}

function toPlain(document: Document.Parsed, source: YamlSource): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIAS_COUNT });
  } catch (cause) {
    // The parser throws ReferenceError for aliases that multiply too much, or that name no anchor.
    throw problemsError(source.file, [source.problemAt(0, (cause as Error).message)]);
  }
}

/** Duplicate keys, keys that are no plain text, `__proto__`, and aliases of nothing. */
function keyProblems(document: Document.Parsed, source: YamlSource): Problem[] {
  const problems: Problem[] = [];
  const anchors = new Map<string, number>();
  const aliases: { name: string; at: number }[] = [];
  const pending: (Node | null | undefined)[] = [document.contents];
  while (pending.length > 0) {
    const node = pending.pop();
    const at = node?.range?.[0] ?? 0;
    if (isAlias(node)) aliases.push({ name: node.source, at });
    else if (node?.anchor) anchors.set(node.anchor, Math.min(at, anchors.get(node.anchor) ?? at));
    if (isSeq(node)) for (const item of node.items) pending.push(item as Node);
    if (!isMap(node)) continue;
    const seen = new Set<string>();
    for (const { key, value } of node.items as Pair<Node, Node | null>[]) {
      pending.push(value);
      const problem = keyProblem(key, seen);
      if (problem !== null) problems.push(source.problemAt(key?.range?.[0] ?? at, problem));
    }
  }
  // The node walk knows no order, so an alias is checked against where its anchor stands.
  const unresolved = aliases.filter(
    ({ name, at }) => !(at > (anchors.get(name) ?? Number.POSITIVE_INFINITY)),
  );
  return problems.concat(
    unresolved.map(({ name, at }) => source.problemAt(at, `no anchor &${name} before this`)),
  );
}

function keyProblem(key: Node | null, seen: Set<string>): string | null {
  const text = isAlias(key) ? null : keyText(key);
  if (text === null) return 'a key must be plain text';
  if (text === '__proto__') return 'the key "__proto__" is not allowed';
  if (seen.has(text)) return `the key ${JSON.stringify(text.slice(0, 80))} is given twice`;
  seen.add(text);
  return null;
}
