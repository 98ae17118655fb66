import type { z } from 'zod';
import { knownKeys, valueAt } from './schema-walk.ts';
import type { Problem, YamlSource } from './source.ts';
import { didYouMean } from './suggest.ts';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** zod's issues as problems with positions, expectations in the words of the file, and suggestions. */
export function problemsOf(
  issues: readonly Issue[],
  schema: z.core.$ZodType,
  input: unknown,
  source: YamlSource,
  base: Path = [],
): Problem[] {
  return issues.flatMap((issue) => explain(issue, base, { schema, input, source, base }));
}

interface Context {
  readonly schema: z.core.$ZodType;
  /** The value that `schema` was applied to; it stands at `base` in the file. */
  readonly input: unknown;
  readonly source: YamlSource;
  readonly base: Path;
}

function explain(issue: Issue, parent: Path, context: Context): Problem[] {
  const { source } = context;
  const path = [...parent, ...issue.path];
  const inner = path.slice(context.base.length);
  const found = valueAt(context.input, inner);
  const expected = (what: string, suggestion = ''): Problem[] => {
    if (found === undefined && path.length > 0)
      return [source.problem(path, `required, but missing; expected ${what}`)];
    return [source.problem(path, `expected ${what}, found ${describe(found)}${suggestion}`)];
  };
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = knownKeys(context.schema, inner, context.input);
      return issue.keys.map((key) => {
        const near = didYouMean(key, known);
        const advice = near === '' && known.length > 0 ? `; known keys: ${known.join(', ')}` : near;
        return source.problem([...path, key], `unknown key${advice}`, 'key');
      });
    }
    case 'invalid_union':
      return explainUnion(issue, path, found, context, expected);
    case 'invalid_type':
      return expected(typeName(issue.expected));
    case 'invalid_value':
      return expected(
        oneOf(issue.values.map(String)),
        typeof found === 'string' ? didYouMean(found, issue.values.map(String)) : '',
      );
    case 'too_small':
      return expected(bound('at least', 'more than', issue.minimum, issue.inclusive, issue.origin));
    case 'too_big':
      return expected(bound('at most', 'less than', issue.maximum, issue.inclusive, issue.origin));
    case 'invalid_key':
    case 'invalid_element':
      return issue.issues.flatMap((nested) => explain(nested, path, context));
    case 'invalid_format':
      return [source.problem(path, `${formatMessage(issue)}, found ${describe(found)}`)];
    default:
      return [source.problem(path, issue.message)];
  }
}

function explainUnion(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: Path,
  found: unknown,
  context: Context,
  expected: (what: string, suggestion?: string) => Problem[],
): Problem[] {
  if (issue.discriminator !== undefined && issue.errors.length === 0) {
    const options = ('options' in issue ? (issue.options ?? []) : []).map(String);
    // zod puts the discriminator's key at the end of the path.
    const suggestion = typeof found === 'string' ? didYouMean(found, options) : '';
    return options.length > 0
      ? expected(oneOf(options), suggestion)
      : [context.source.problem(path, issue.message)];
  }
  const branches = issue.errors.filter((branch) => branch.length > 0);
  const ofRightType = branches.filter((branch) => !branch.some((nested) => isWrongKind(nested, found)));
  if (ofRightType.length === 0) {
    const kinds = branches.flatMap((branch) =>
      branch.filter((nested) => isWrongKind(nested, found)).map(kindName),
    );
    return expected([...new Set(kinds)].join(' or '));
  }
  const nearestBranch = ofRightType.reduce((best, branch) =>
    distance(branch) < distance(best) ? branch : best,
  );
  return nearestBranch.flatMap((nested) => explain(nested, path, context));
}

/** The branch takes another kind of value altogether (a list where a name stands). */
function isWrongKind(issue: Issue, found: unknown): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === 'invalid_type') return true;
  return issue.code === 'invalid_value' && issue.values.every((value) => typeof value !== typeof found);
}

function kindName(issue: Issue): string {
  if (issue.code === 'invalid_type') return typeName(issue.expected);
  return issue.code === 'invalid_value' ? oneOf(issue.values.map(String)) : issue.message;
}

/** How many mistakes stand between the input and this branch. */
function distance(branch: readonly Issue[]): number {
  return branch.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1), 0);
}

/** A value as a reader of the file would name it, shortened. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function typeName(expected: string): string {
  const names: Record<string, string> = {
    array: 'a list',
    object: 'a mapping',
    record: 'a mapping',
    string: 'text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
  };
  return names[expected] ?? expected;
}

function oneOf(values: readonly string[]): string {
  return values.length === 1 ? String(values[0]) : `one of ${values.join(', ')}`;
}

function bound(
  inclusive: string,
  exclusive: string,
  limit: number | bigint,
  isInclusive: boolean | undefined,
  origin: string,
): string {
  const amount = `${isInclusive === false ? exclusive : inclusive} ${limit}`;
  if (origin === 'string') return `text of ${amount} characters`;
  if (origin === 'array' || origin === 'set')
    return `a list of ${amount} ${limit === 1 ? 'entry' : 'entries'}`;
  return `a number of ${amount}`;
}

function formatMessage(issue: Extract<Issue, { code: 'invalid_format' }>): string {
  // zod's own message repeats the pattern; a schema's own message says it in words.
  return issue.message.startsWith('Invalid string') && issue.pattern !== undefined
    ? `expected text matching ${issue.pattern}`
    : `expected ${issue.message}`;
}
