import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../errors.ts';
import { type Context, type Entry, type Figure, type Format, Problem } from './figure.ts';
import { FORMATS } from './formats/index.ts';
import { lineOf, memberLines } from './json-position.ts';

/** Outputs of benchmark tools are some kilobytes; what is larger is something else. */
const MAX_FILE_BYTES = 32 * 1024 * 1024;
const MAX_ENTRIES = 10_000;

export interface ReadFigure extends Figure {
  readonly source: { readonly file: string; readonly line: number; readonly sha256: string };
  /** As the user wrote it with the line: for messages. */
  readonly at: string;
}

/**
 * Every figure of a tool's output; which tool it was is told by the fields.
 * @throws UserError that names file and line for whatever is not what that tool writes
 */
export async function readFigures(path: string): Promise<{ format: Format; figures: ReadFigure[] }> {
  const text = await readText(path);
  const { entries, kind } = parse(text, path);
  const format = FORMATS.find((candidate) => candidate.recognises(entries[0]!.value));
  if (format === undefined) {
    throw new UserError(`${path}:${entries[0]!.line}: this is no output of a tool that can be imported`, {
      hint: `known are ${FORMATS.map(({ title }) => title).join(', ')}; files are told apart by their fields, not by their names`,
    });
  }
  const sha256 = createHash('sha256').update(text).digest('hex');
  const siblings = await readSiblings(path);
  const figures = entries.flatMap(({ value, line }, index) => {
    const parsed = format.schema.safeParse(value);
    if (!parsed.success) {
      const issue = innermost(parsed.error.issues[0]!);
      const inside = kind === 'array' ? [index, ...issue.path] : issue.path;
      const where = kind === 'lines' ? line : lineOf(text, inside);
      throw new UserError(
        `${path}:${where}: ${issue.path.map(String).join('.') || 'the entry'}: ${issue.message}`,
        {
          hint: `read as the output of ${format.title}`,
        },
      );
    }
    const at = `${path}:${line}`;
    return figuresOf(format, parsed.data, siblings, at).map((figure) => ({
      ...figure,
      at,
      source: { file: basename(path).slice(0, 200), line, sha256 },
    }));
  });
  return { format, figures };
}

function figuresOf(format: Format, entry: unknown, context: Context, at: string): Figure[] {
  try {
    return format.figures(entry as never, context);
  } catch (error) {
    if (error instanceof Problem) throw new UserError(`${at}: ${error.message}`);
    throw error;
  }
}

type Issue = { readonly path: readonly PropertyKey[]; readonly message: string; readonly code?: string };

/** Of alternatives, the one that failed deepest inside is what was meant. */
function innermost(issue: Issue & { readonly errors?: readonly (readonly Issue[])[] }): Issue {
  if (issue.code !== 'invalid_union' || !issue.errors) return issue;
  const all = issue.errors.flat().map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
  return all.sort((a, b) => b.path.length - a.path.length)[0] ?? issue;
}

async function readText(path: string): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      if (size > MAX_FILE_BYTES) {
        throw new UserError(`${path} has ${size} bytes: more than any output that can be imported`);
      }
      // A pipe has no size; nothing beyond the limit is ever held.
      const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
      let length = 0;
      for (;;) {
        const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
        length += bytesRead;
        if (bytesRead === 0) break;
        if (length > MAX_FILE_BYTES)
          throw new UserError(`${path} is longer than any output that can be imported`);
      }
      return buffer.toString('utf8', 0, length).replace(/^\uFEFF/, '');
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new UserError(`${path}: no such file`);
    if (code === 'EISDIR') {
      throw new UserError(`${path} is a folder`, { hint: 'name the file that the tool wrote' });
    }
    throw new UserError(`${path} cannot be read: ${message}`);
  }
}

interface Parsed {
  readonly entries: Entry[];
  readonly kind: 'document' | 'array' | 'lines';
}

/** One JSON document, or one to a line. */
function parse(text: string, path: string): Parsed {
  if (text.trim() === '') throw new UserError(`${path}:1: the file is empty`);
  let whole: unknown;
  try {
    whole = JSON.parse(text);
  } catch (error) {
    return { entries: parseLines(text, path, error as Error), kind: 'lines' };
  }
  if (!Array.isArray(whole)) return { entries: [{ value: whole, line: 1 }], kind: 'document' };
  if (whole.length === 0) throw new UserError(`${path}:1: the list is empty`);
  bound(whole.length, path);
  const lines = memberLines(text);
  return { entries: whole.map((value, index) => ({ value, line: lines[index] ?? 1 })), kind: 'array' };
}

/** Tools print other lines between theirs (llama.cpp logs to the same stream): what does not begin an object is none. */
function parseLines(text: string, path: string, whole: Error): Entry[] {
  const entries: Entry[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (!line.trimStart().startsWith('{')) continue;
    bound(entries.length + 1, path);
    try {
      entries.push({ value: JSON.parse(line), line: index + 1 });
    } catch (error) {
      const { message } = entries.length === 0 ? whole : (error as Error);
      throw new UserError(`${path}:${index + 1}: no JSON: ${message.slice(0, 200)}`, {
        hint: 'a file is one JSON document, or one JSON object a line',
      });
    }
  }
  if (entries.length === 0) {
    throw new UserError(`${path}:1: no JSON: ${whole.message.slice(0, 200)}`, {
      hint: 'llama-bench writes it with -o jsonl, llama-batched-bench with --output-format jsonl',
    });
  }
  return entries;
}

function bound(count: number, path: string): void {
  if (count > MAX_ENTRIES) throw new UserError(`${path}: more than ${MAX_ENTRIES} entries`);
}

/** The one file that a format may need besides; what cannot be read counts as missing, and its format says so. */
async function readSiblings(path: string): Promise<Context> {
  const folder = dirname(path);
  const name = 'benchmark_config.json';
  const found = await readFile(join(folder, name), 'utf8').then(
    (text) => (text.length > MAX_FILE_BYTES ? undefined : parseOrNothing(text)),
    () => undefined,
  );
  return { sibling: (wanted) => (wanted === name ? found : undefined) };
}

function parseOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
