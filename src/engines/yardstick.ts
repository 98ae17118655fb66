import type { Effective, LoadRequest, Shape } from '../schema/protocol.ts';
import type { Precision } from '../schema/vocabulary.ts';
import type { RunnerCommand } from './engine.ts';

/**
 * Where the choice of the next token lies: `apart` when the tool tells its time on its own (or makes none), `within` when
 * its prefill and its steps contain it; then the driver's selection is added to the driver's phases, too.
 */
export type Selection = 'apart' | 'within';

/**
 * What a tool repeats: `runs`, in which decoding follows prefill as in use; or `phases`, one of them alone again and again,
 * so that neither the engine nor the processor's caches ever change from one to the other. Then the driver's prefills are
 * repeated alone, too, and of its steps those that follow a prefill are not compared.
 */
export type Repeats = 'runs' | 'phases';

/** What one participant does in one turn, the same for the driver and for each tool. */
export interface Turn {
  /** One untimed prefill and step before; left out where a prefill is so long that it needs none. */
  readonly warmUp: boolean;
  /** Runs of a prefill and a single step, of which the prefill counts. */
  readonly prefills: number;
  /** Whole runs: a prefill and `generate` − 1 steps. */
  readonly runs: number;
  /** Prefills one after the other with no step between them, besides, after an untimed one; asked of the driver alone. */
  readonly prefillsAlone: number;
}

/** Times of one run: all steps together, for a program may tell no more; null where the turn asked for a prefill alone. */
export interface ToolRun {
  readonly prefillNs: number;
  readonly decodeNs: number | null;
}

/** A tool that is a program of its own and cannot be driven over the runner protocol. */
export interface ToolProgram {
  readonly versions: Readonly<Record<string, string>>;
  /** Why the tool does not run what the driver runs, where that is so: then there is a ratio, and no bar applies. */
  readonly caveat: string | null;
  /** `driver` is what the driver reports of this shape: the tool is set to the same. @throws EngineError */
  measure(shape: Shape, turn: Turn, driver: Effective): Promise<readonly ToolRun[]>;
}

export type YardstickDrive =
  /** Another engine of the map, by its id. */
  | { readonly kind: 'engine'; readonly engine: string; readonly options: Record<string, unknown> }
  /** A program that speaks the runner protocol. */
  | {
      readonly kind: 'runner';
      /** `request` is the driver's own. */
      options(request: LoadRequest): Record<string, unknown>;
      command(): Promise<RunnerCommand>;
    }
  | {
      readonly kind: 'program';
      /** `request` is the driver's own; `toolFolders` are those that the user names. @throws EngineError `unavailable` */
      open(request: LoadRequest, toolFolders: readonly string[]): Promise<ToolProgram>;
    };

/** An engine's own tool, against which ortbench's driver of that engine is measured. */
export interface Yardstick {
  readonly title: string;
  /** What its prefill and its steps are, for the page. */
  readonly method: string;
  readonly selection: Selection;
  readonly repeats: Repeats;
  /** True, or why the tool cannot run this shape as the driver does, from what the driver reports. */
  covers(shape: Shape, driver: Effective): true | string;
  readonly drive: YardstickDrive;
}

/** Weights in a format that is no precision of a sweep, made for this comparison alone. */
export interface WeightFormat {
  /** The precision whose artefact it is made from. */
  readonly from: Precision;
  /** The precision that the driver is told: it decides options left on `auto`. */
  readonly loadedAs: Precision;
  /** Writes an artefact folder from another. @throws EngineError */
  make(artefactDir: string, outDir: string): Promise<void>;
}

/** All by the names that a declaration uses. */
export interface EngineYardsticks {
  readonly tools: Readonly<Record<string, Yardstick>>;
  readonly formats: Readonly<Record<string, WeightFormat>>;
  /** Builds of the engine whose options depend on this machine. Each tells its options. @throws EngineError `unavailable` */
  readonly builds: Readonly<Record<string, (toolFolders: readonly string[]) => Record<string, unknown>>>;
}

export const always = (): true => true;
