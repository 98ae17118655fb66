import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { EngineError } from '../../errors.ts';

/** Executions of one operator in one forward that share provider and types. */
export interface NodesRun {
  readonly provider: string;
  readonly operator: string;
  /** Of its inputs that are no integers, weights included, e.g. "float32" or "float16"; of its outputs where all are integers. */
  readonly type: string;
  readonly count: number;
}

const typesSchema = z.array(z.record(z.string(), z.array(z.number()))).default([]);
const profileSchema = z.array(
  z.object({
    cat: z.string().optional(),
    name: z.string(),
    args: z
      .object({
        op_name: z.string().optional(),
        provider: z.string().optional(),
        input_type_shape: typesSchema,
        output_type_shape: typesSchema,
      })
      .optional(),
  }),
);

/** As ONNX Runtime's profiler names them → as element types are named here. */
const FLOATS: Readonly<Record<string, string>> = {
  float: 'float32',
  float16: 'float16',
  bfloat16: 'bfloat16',
  double: 'float64',
};

/** What one forward ran, from the text of ONNX Runtime's own profile of it. @throws EngineError `failed` for another text */
export function readProfile(text: string): NodesRun[] {
  const parsed = profileSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    throw new EngineError(
      'failed',
      `ONNX Runtime wrote a profile that is not understood: ${parsed.error.message}`,
    );
  }
  const found = new Map<string, NodesRun>();
  for (const { cat, name, args } of parsed.data) {
    if (cat !== 'Node' || !name.endsWith('_kernel_time') || args?.op_name === undefined) continue;
    const inputs = args.input_type_shape.flatMap((input) => Object.keys(input));
    const outputs = args.output_type_shape.flatMap((output) => Object.keys(output));
    const floats = (types: readonly string[]) => [...new Set(types.flatMap((type) => FLOATS[type] ?? []))];
    const type =
      [floats(inputs), floats(outputs), [...new Set(outputs)]].find(({ length }) => length > 0) ?? [];
    const nodes = { provider: args.provider ?? '?', operator: args.op_name, type: type.join('/') };
    const key = Object.values(nodes).join('\n');
    found.set(key, { ...nodes, count: (found.get(key)?.count ?? 0) + 1 });
  }
  return [...found.values()];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new EngineError(
      'failed',
      `ONNX Runtime wrote a profile that is no JSON: ${(cause as Error).message}`,
    );
  }
}

/** What is profiled: the shortest prompt that has a past to attend to. Its capacity is its length. */
export const PROFILED_PROMPT: readonly number[] = [0, 0];

/** A folder for a profile, which ONNX Runtime writes as a file and in no other way. */
export class ProfileFolder {
  readonly #dir = mkdtempSync(join(tmpdir(), 'ortbench-profile-'));
  /** Where a session begins its file's name. */
  readonly prefix = join(this.#dir, 'profile');

  /** The one that was written, once its session ended it. */
  read(): NodesRun[] {
    const [file, ...others] = readdirSync(this.#dir);
    if (file === undefined || others.length > 0) {
      throw new EngineError(
        'failed',
        `ONNX Runtime wrote ${others.length + (file ? 1 : 0)} profiles, expected one`,
      );
    }
    return readProfile(readFileSync(join(this.#dir, file), 'utf8'));
  }

  remove(): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
