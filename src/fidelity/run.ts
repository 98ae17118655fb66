import { ENGINES } from '../engines/index.ts';
import { YARDSTICKS } from '../engines/yardsticks.ts';
import type { PreparedArtefact } from '../runner/context.ts';
import type { ModelShape } from '../schema/model.ts';
import type { ArtefactKind, Precision } from '../schema/vocabulary.ts';
import type { Comparison } from './declaration.ts';
import { Group } from './group.ts';
import type { FidelityProblem, FidelityRow } from './row.ts';

export interface FidelityContext {
  readonly rounds: number;
  /** How many times everything is opened anew; the rounds are spread over them. */
  readonly sittings: number;
  /** Further rounds, each in a sitting of its own, for cells that did not meet a bar. */
  readonly moreRounds: number;
  readonly minTimedSeconds: number;
  readonly seed: number;
  readonly threads: number;
  /** Folders in which an engine's own tools may lie. */
  readonly toolFolders: readonly string[];
  readonly modelShape: (model: string) => ModelShape;
  readonly artefact: (model: string, kind: ArtefactKind, precision: Precision) => Promise<PreparedArtefact>;
  /** A folder that keeps weights made in a format of the comparison's own; `make` fills it where it is not there. */
  readonly derived: (
    source: PreparedArtefact,
    format: string,
    make: (outDir: string) => Promise<void>,
  ) => Promise<PreparedArtefact>;
  readonly onProgress: (line: string) => void;
  readonly onRows: (rows: readonly FidelityRow[]) => void;
  readonly signal: AbortSignal;
}

export interface FidelityResult {
  readonly rows: readonly FidelityRow[];
  readonly problems: readonly FidelityProblem[];
  readonly versions: Readonly<Record<string, string>>;
}

/** Everything that one comparison measures: sessions are opened once for each model and weight format. */
export async function runComparison(
  comparison: Comparison,
  context: FidelityContext,
): Promise<FidelityResult> {
  const engine = await ENGINES[comparison.engine]!();
  const yardsticks = await YARDSTICKS[comparison.engine]!();
  const rows: FidelityRow[] = [];
  const problems: FidelityProblem[] = [];
  const versions: Record<string, string> = {};
  for (const model of comparison.models) {
    for (const weights of comparison.weights) {
      if (context.signal.aborted) break;
      const group = new Group({ comparison, engine, yardsticks, model, weights, context });
      await group.run();
      rows.push(...group.rows);
      problems.push(...group.problems);
      Object.assign(versions, group.versions);
    }
  }
  return { rows, problems, versions };
}
