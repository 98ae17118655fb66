import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { InfrastructureError, UserError } from '../errors.ts';
import { readBounded, UnreadableFile } from '../files/bounded.ts';
import { LineSplitter } from '../files/lines.ts';
import { cellKey } from '../schema/cell.ts';
import { type Manifest, manifestSchema } from '../schema/manifest.ts';
import type { RunRecord } from '../schema/record.ts';
import { type SummarisedRecord, sampleSummariser } from '../stats/run-summary.ts';
import { checkedJson, decodeLine } from './line.ts';

export const MANIFEST_FILE = 'manifest.json';
export const RECORDS_FILE = 'records.jsonl';

export interface Results {
  readonly manifest: Manifest;
  /** In the order written, without what a later attempt superseded, and samples without their single steps. */
  readonly records: readonly SummarisedRecord[];
  readonly warnings: readonly string[];
  /** The last attempt did not come to its end. */
  readonly interrupted: boolean;
  /** Reads all records again, each as the JSON that is stored, and waits for who takes it. */
  readonly raw: (visit: (json: string) => Promise<void> | void) => Promise<unknown>;
}

/** @throws UserError when the folder holds no results; InfrastructureError when they are damaged. */
export async function readResults(dir: string): Promise<Results> {
  const manifest = await readManifest(dir);
  const records: SummarisedRecord[] = [];
  const summarise = sampleSummariser();
  const { warnings } = await readRecords(dir, (record) => {
    records.push(record.kind === 'sample' ? summarise(record) : record);
  });
  const end = records.findLast((record) => record.kind === 'end');
  return {
    manifest,
    records: withoutSuperseded(records),
    warnings,
    interrupted: end?.interrupted ?? true,
    raw: (visit) =>
      readLines(dir, (line) => {
        const checked = checkedJson(line);
        return 'problem' in checked ? checked : visit(checked.json);
      }),
  };
}

/** A million cells of three hundred bytes each are no sweep of ours. */
const MAX_MANIFEST_BYTES = 256 * 1024 ** 2;

export async function readManifest(dir: string): Promise<Manifest> {
  const path = join(dir, MANIFEST_FILE);
  let text: string;
  try {
    text = (await readBounded(path, MAX_MANIFEST_BYTES)).toString('utf8');
  } catch (error) {
    if (error instanceof UnreadableFile) throw damaged(path, error.message, error);
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw unreadable(path, error as Error);
    throw new UserError(`${dir} is not a results folder: it has no ${MANIFEST_FILE}`, {
      hint: 'name the folder that a sweep wrote, for example results/quickstart-…',
      cause: error,
    });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw damaged(path, `is damaged: ${(error as Error).message}`, error);
  }
  const parsed = manifestSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw damaged(path, `is damaged: ${issue?.path.join('.')}: ${issue?.message}`);
}

function damaged(where: string, what: string, cause?: unknown): InfrastructureError {
  return new InfrastructureError(`${where} ${what}`, {
    hint: 'the file was changed after it was written; restore it, or start a new run',
    cause,
  });
}

function unreadable(path: string, cause: Error): InfrastructureError {
  return new InfrastructureError(`${path} cannot be read: ${cause.message}`, {
    hint: 'results stay as they are: check the disk and permissions, then make the report with ortbench report, or go on with --resume',
    cause,
  });
}

const CHUNK_BYTES = 1024 * 1024;
/** A record may hold many runs of many steps; a longer line is no record of ours, and no string could hold it. */
const MAX_LINE_BYTES = 256 * 1024 ** 2;

export interface RecordsEnd {
  readonly warnings: string[];
  /** Bytes up to the end of the last good line: what follows is torn, and cut off before anything is appended. */
  readonly goodBytes: number;
}

/**
 * Hands every good record of the file to `visit`. A bad last line is the trace of a kill and dropped; a bad one before it
 * means damage.
 * @throws InfrastructureError for a damaged file, or one that cannot be read
 */
export const readRecords = (dir: string, visit: (record: RunRecord) => void): Promise<RecordsEnd> =>
  readLines(dir, (line) => {
    const decoded = decodeLine(line);
    if ('problem' in decoded) return decoded;
    // Whatever it may answer says nothing of the line.
    visit(decoded.record);
  });

/** @param take says what is wrong with a line; one that takes its time is waited for. Only one line is in memory. */
async function readLines(
  dir: string,
  take: (line: string) => { problem: string } | void | Promise<void>,
): Promise<RecordsEnd> {
  const path = join(dir, RECORDS_FILE);
  const badLine = (number: number, problem: string) => damaged(`${path}:${number}`, `is damaged: ${problem}`);
  let number = 0;
  let goodBytes = 0;
  let problem: string | null = null;
  const lines = new LineSplitter(MAX_LINE_BYTES, () => badLine(number + 1, 'it is far too long'));
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
      for (const line of lines.push(chunk as Buffer)) {
        if (problem !== null) throw badLine(number, problem);
        number++;
        const taken = take(line.toString('utf8'));
        if (taken !== undefined && 'problem' in taken) problem = taken.problem;
        else {
          if (taken !== undefined) await taken;
          goodBytes += line.length + 1;
        }
      }
    }
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { warnings: [], goodBytes: 0 };
    throw unreadable(path, error);
  }
  if (lines.pendingBytes > 0) {
    if (problem !== null) throw badLine(number, problem);
    number++;
    problem = 'it is cut off';
  }
  const warnings = problem === null ? [] : [`${RECORDS_FILE}:${number} dropped: ${problem}`];
  return { warnings, goodBytes };
}

/** A cell that was begun anew starts with a new preparation: what was measured before it counts no more. */
function withoutSuperseded(records: readonly SummarisedRecord[]): SummarisedRecord[] {
  const lastPreparation = new Map<string, number>();
  records.forEach((record, index) => {
    if (record.kind === 'preparation') lastPreparation.set(cellKey(record.cell), index);
  });
  return records.filter((record, index) => {
    if (record.kind !== 'sample' && record.kind !== 'preparation') return true;
    return index >= (lastPreparation.get(cellKey(record.cell)) ?? 0);
  });
}
