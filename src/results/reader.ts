import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InfrastructureError, UserError } from '../errors.ts';
import { cellKey } from '../schema/cell.ts';
import { type Manifest, manifestSchema } from '../schema/manifest.ts';
import type { RunRecord } from '../schema/record.ts';
import { decodeLine } from './line.ts';

export const MANIFEST_FILE = 'manifest.json';
export const RECORDS_FILE = 'records.jsonl';

export interface Results {
  readonly manifest: Manifest;
  /** In the order written, without what a later attempt superseded. */
  readonly records: readonly RunRecord[];
  readonly warnings: readonly string[];
  /** The last attempt did not come to its end. */
  readonly interrupted: boolean;
}

/** @throws UserError when the folder holds no results; InfrastructureError when they are damaged. */
export async function readResults(dir: string): Promise<Results> {
  const manifest = await readManifest(dir);
  const { records, warnings } = await readRecords(dir);
  const end = records.findLast((record) => record.kind === 'end');
  return { manifest, records: withoutSuperseded(records), warnings, interrupted: end?.interrupted ?? true };
}

export async function readManifest(dir: string): Promise<Manifest> {
  const path = join(dir, MANIFEST_FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new UserError(`${dir} is not a results folder: it has no ${MANIFEST_FILE}`, {
      hint: 'name the folder that a sweep wrote, for example results/quickstart-…',
      cause: error,
    });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new InfrastructureError(`${path} is damaged: ${(error as Error).message}`, { cause: error });
  }
  const parsed = manifestSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new InfrastructureError(`${path} is damaged: ${issue?.path.join('.')}: ${issue?.message}`);
}

export interface RecordLines {
  readonly records: RunRecord[];
  readonly warnings: string[];
  /** Bytes up to the end of the last good line: what follows is torn, and cut off before anything is appended. */
  readonly goodBytes: number;
}

/** Every good line. A bad last line is the trace of a kill and dropped; a bad one before it means damage. */
export async function readRecords(dir: string): Promise<RecordLines> {
  const path = join(dir, RECORDS_FILE);
  let content: Buffer;
  try {
    content = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      return { records: [], warnings: [], goodBytes: 0 };
    throw new InfrastructureError(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  const records: RunRecord[] = [];
  let start = 0;
  for (let number = 1; start < content.length; number++) {
    const newline = content.indexOf(0x0a, start);
    const end = newline < 0 ? content.length : newline;
    const decoded =
      newline < 0 ? { problem: 'it is cut off' } : decodeLine(content.toString('utf8', start, end));
    if ('problem' in decoded) {
      if (end + 1 < content.length) {
        throw new InfrastructureError(`${path}:${number} is damaged: ${decoded.problem}`, {
          hint: 'the file was changed after it was written; restore it, or start a new run',
        });
      }
      return {
        records,
        warnings: [`${RECORDS_FILE}:${number} dropped: ${decoded.problem}`],
        goodBytes: start,
      };
    }
    records.push(decoded.record);
    start = end + 1;
  }
  return { records, warnings: [], goodBytes: start };
}

/** A cell that was begun anew starts with a new preparation: what was measured before it counts no more. */
function withoutSuperseded(records: readonly RunRecord[]): RunRecord[] {
  const lastPreparation = new Map<string, number>();
  records.forEach((record, index) => {
    if (record.kind === 'preparation') lastPreparation.set(cellKey(record.cell), index);
  });
  return records.filter((record, index) => {
    if (record.kind !== 'sample' && record.kind !== 'preparation') return true;
    return index >= (lastPreparation.get(cellKey(record.cell)) ?? 0);
  });
}
