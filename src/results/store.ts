import { type FileHandle, mkdir, open, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InfrastructureError, UserError } from '../errors.ts';
import { syncFolder, writeFileAtomic } from '../files/atomic.ts';
import { acquireLock, type Lock } from '../files/lock.ts';
import { withoutSecrets } from '../files/redact.ts';
import type { Manifest } from '../schema/manifest.ts';
import type { RunRecord } from '../schema/record.ts';
import { encodeLine } from './line.ts';
import { MANIFEST_FILE, RECORDS_FILE, readManifest, readRecords } from './reader.ts';
import { explainDifference } from './resume.ts';

const LOCK_FILE = 'lock';

/**
 * The results of one run: a manifest written once and records that are only ever appended, each on disk before the next
 * piece of work starts. One harness at a time, by lock.
 */
export class ResultsStore {
  readonly dir: string;
  /** The manifest on disk: on resume the first attempt's. */
  readonly manifest: Manifest;
  /** What earlier attempts left, without their samples. */
  readonly earlier: readonly RunRecord[];
  readonly warnings: readonly string[];
  readonly #lock: Lock;
  readonly #file: FileHandle;

  private constructor(
    dir: string,
    manifest: Manifest,
    earlier: readonly RunRecord[],
    warnings: readonly string[],
    lock: Lock,
    file: FileHandle,
  ) {
    this.dir = dir;
    this.manifest = manifest;
    this.earlier = earlier;
    this.warnings = warnings;
    this.#lock = lock;
    this.#file = file;
  }

  /** Starts a run in a folder that must hold none yet. */
  static async create(dir: string, manifest: Manifest): Promise<ResultsStore> {
    await mkdir(dir, { recursive: true });
    const lock = await acquireLock(join(dir, LOCK_FILE), { wait: false });
    try {
      const present = (await readdir(dir)).filter((name) => !name.startsWith(LOCK_FILE));
      if (present.length > 0) {
        throw new UserError(`${dir} is not empty: it holds ${present.slice(0, 3).join(', ')}`, {
          hint: 'add --resume to continue the run that it holds, or name another folder with --out',
        });
      }
      await writeFileAtomic(join(dir, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
      const file = await open(join(dir, RECORDS_FILE), 'a');
      await syncFolder(dir);
      await syncFolder(dirname(dir));
      return new ResultsStore(dir, manifest, [], [], lock, file);
    } catch (error) {
      await lock.release();
      throw asInfrastructure(error, dir);
    }
  }

  /** Continues a run, unless it is of another config or machine. A torn last line is cut off. */
  static async resume(dir: string, manifest: Manifest): Promise<ResultsStore> {
    const stored = await readManifest(dir);
    const lock = await acquireLock(join(dir, LOCK_FILE), { wait: false });
    try {
      const difference = explainDifference(stored, manifest);
      if (difference !== null) {
        throw new UserError(`${dir} cannot be resumed: ${difference}`, {
          hint: 'numbers of different conditions are never mixed: start a new run without --resume',
        });
      }
      const records: RunRecord[] = [];
      const { warnings, goodBytes } = await readRecords(dir, (record) => {
        // Nothing of a resumed run looks at earlier times, and they are most of what there is.
        if (record.kind !== 'sample') records.push(record);
      });
      const file = await open(join(dir, RECORDS_FILE), 'a');
      await file.truncate(goodBytes);
      await file.sync();
      return new ResultsStore(dir, stored, records, warnings, lock, file);
    } catch (error) {
      await lock.release();
      throw asInfrastructure(error, dir);
    }
  }

  /** On disk when this resolves. @throws InfrastructureError */
  async append(record: RunRecord): Promise<void> {
    try {
      // Samples are numbers, and many; all else may quote what a library or the user said.
      await this.#file.write(encodeLine(record.kind === 'sample' ? record : withoutSecrets(record)));
      await this.#file.datasync();
    } catch (error) {
      throw asInfrastructure(error, join(this.dir, RECORDS_FILE));
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
    await this.#lock.release();
  }
}

function asInfrastructure(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error;
  return new InfrastructureError(`${path} cannot be written: ${error.message}`, {
    hint: 'what was stored before is kept: make room or mend the disk, then add --resume',
    cause: error,
  });
}
