import type { Engine } from '../engines/engine.ts';
import type { MemoryRoom } from '../machine/memory.ts';
import type { ModelShape } from '../schema/model.ts';
import type { RunRecord, WeightChain } from '../schema/record.ts';
import type { Roofline } from '../schema/roofline.ts';
import type { Sweep } from '../schema/sweep.ts';
import type { ArtefactKind, Device, Precision } from '../schema/vocabulary.ts';
import type { OnEvent } from './events.ts';
import type { RunClock } from './run-clock.ts';

/** A prepared model file or folder, as the models stage hands it over. */
export interface PreparedArtefact {
  readonly dir: string;
  readonly sha256: string;
  /** What it was made of; absent where no model is loaded. */
  readonly chain?: WeightChain;
}

/** Everything a run needs that is not the plan itself. */
export interface RunContext {
  readonly sweep: Sweep;
  readonly threads: number;
  readonly room: MemoryRoom;
  /** Memory that is free at this moment, in MiB; what the system says unless given. */
  readonly freeMiB?: () => number;
  /** The same of a device's memory; null where nobody knows. */
  readonly freeDeviceMiB?: (device: Device) => Promise<number | null>;
  readonly parity: boolean;
  /** Engines of the sweep and the parity reference, by id. */
  readonly engines: ReadonlyMap<string, Engine>;
  /** The engine whose logits are the reference; null when it is not to be had here, with the reason. */
  readonly reference: { engine: Engine } | { missing: string };
  readonly modelShape: (model: string) => ModelShape;
  /** Prepares what is missing. @throws EngineError when the artefact cannot be made */
  readonly artefact: (model: string, kind: ArtefactKind, precision: Precision) => Promise<PreparedArtefact>;
  /** What the machine reaches at best; null or absent where that is unknown. */
  readonly roofline?: Roofline | null;
  /** What earlier attempts of a resumed run left, without their samples. */
  readonly earlier: readonly RunRecord[];
  /** On disk when it resolves. */
  readonly append: (record: RunRecord) => Promise<void>;
  readonly onEvent: OnEvent;
  readonly clock: RunClock;
  readonly signal: AbortSignal;
  /** A folder for logits, removed at the end of the run. */
  readonly scratchDir: string;
  readonly startedNs: bigint;
}
