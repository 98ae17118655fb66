import { type FileHandle, mkdir, open, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError } from '../errors.ts';
import { syncFolder, writeFileAtomic } from '../files/atomic.ts';
import { asDiskError } from '../files/disk-error.ts';
import { removeLeftovers } from '../files/leftovers.ts';
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
  /** Bytes of the records that are on disk for certain. */
  #goodBytes: number;
  /** Why nothing can be appended any more. */
  #broken: unknown = null;

  private constructor(
    dir: string,
    manifest: Manifest,
    earlier: readonly RunRecord[],
    warnings: readonly string[],
    lock: Lock,
    file: FileHandle,
    goodBytes: number,
  ) {
    this.dir = dir;
    this.manifest = manifest;
    this.earlier = earlier;
    this.warnings = warnings;
    this.#lock = lock;
    this.#file = file;
    this.#goodBytes = goodBytes;
  }

  /** Starts a run in a folder that must hold none yet. */
  static async create(dir: string, manifest: Manifest): Promise<ResultsStore> {
    const lock = await lockFolder(dir);
    try {
      await removeLeftovers(dir, `${MANIFEST_FILE}.`, /^\.tmp$/);
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
      return new ResultsStore(dir, manifest, [], [], lock, file, 0);
    } catch (error) {
      await lock.release();
      throw asDiskError(error, dir, KEPT);
    }
  }

  /** Continues a run, unless it is of another config or machine. A torn last line is cut off. */
  static async resume(dir: string, manifest: Manifest): Promise<ResultsStore> {
    const stored = await readManifest(dir);
    const lock = await lockFolder(dir);
    try {
      await removeLeftovers(dir, `${MANIFEST_FILE}.`, /^\.tmp$/);
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
      return new ResultsStore(dir, stored, records, warnings, lock, file, goodBytes);
    } catch (error) {
      await lock.release();
      throw asDiskError(error, dir, KEPT);
    }
  }

  /**
   * On disk when this resolves. After a failure nothing more is appended: what a disk holds after an error it does not say,
   * and a line behind half a line would damage both.
   * @throws InfrastructureError
   */
  async append(record: RunRecord): Promise<void> {
    if (this.#broken !== null) throw this.#broken;
    // Samples are numbers, and many; all else may quote what a library or the user said.
    const line = Buffer.from(encodeLine(record.kind === 'sample' ? record : withoutSecrets(record)));
    try {
      // Unlike one write, which a disk that fills up may cut short, this goes on until all is written.
      await this.#file.appendFile(line);
      await this.#file.datasync();
      this.#goodBytes += line.length;
    } catch (error) {
      this.#broken = asDiskError(error, join(this.dir, RECORDS_FILE), KEPT);
      // Where this fails, too, the reader drops the half line.
      await this.#file.truncate(this.#goodBytes).catch(() => {});
      throw this.#broken;
    }
  }

  async close(): Promise<void> {
    try {
      await this.#file.close();
    } finally {
      await this.#lock.release();
    }
  }
}

const KEPT = 'what was stored before is kept: make room or mend the disk, then add --resume';

async function lockFolder(dir: string): Promise<Lock> {
  try {
    await mkdir(dir, { recursive: true });
    return await acquireLock(join(dir, LOCK_FILE), { wait: false });
  } catch (error) {
    throw asDiskError(error, dir, 'is there room, and may you write there?');
  }
}
