import type { ResolvedModel } from '../config/load.ts';
import type { Engine } from '../engines/engine.ts';
import { EngineError, UserError } from '../errors.ts';
import { prepareArtefact } from '../models/prepare.ts';
import { endPreparer } from '../models/preparer.ts';
import type { PlannedCell } from '../plan/plan.ts';
import type { PreparedArtefact } from '../runner/context.ts';
import type { ArtefactKind, Device, Precision } from '../schema/vocabulary.ts';

type Wanted = readonly [model: string, kind: ArtefactKind, precision: Precision];

/** The model artefacts of one run, each prepared once, whoever asks first. */
export class Artefacts {
  readonly #models: ReadonlyMap<string, ResolvedModel>;
  readonly #device: Device;
  readonly #onProgress: (line: string) => void;
  readonly #onWarning: (line: string) => void;
  readonly #prepared = new Map<string, Promise<PreparedArtefact>>();

  constructor(
    models: readonly ResolvedModel[],
    device: Device,
    onProgress: (line: string) => void,
    onWarning: (line: string) => void = onProgress,
  ) {
    this.#models = new Map(models.map((model) => [model.spec.name, model]));
    this.#device = device;
    this.#onProgress = onProgress;
    this.#onWarning = onWarning;
  }

  /** @throws EngineError when it cannot be made; UserError when the model itself is at fault */
  get(...wanted: Wanted): Promise<PreparedArtefact> {
    const key = wanted.join('/');
    let artefact = this.#prepared.get(key);
    if (artefact === undefined) {
      artefact = this.#prepare(...wanted);
      this.#prepared.set(key, artefact);
    }
    return artefact;
  }

  /**
   * Prepares all that the cells need before anything is timed. A mistake of the user's ends the sweep here; an artefact
   * that cannot be made for another reason becomes the outcome of the cells that need it.
   */
  async prepareAll(
    cells: readonly PlannedCell[],
    engines: ReadonlyMap<string, Engine>,
    reference: Engine | null,
  ) {
    const wanted = new Map<string, Wanted>();
    const want = (...artefact: Wanted) => wanted.set(artefact.join('/'), artefact);
    for (const { cell, choice } of cells) {
      want(cell.model, engines.get(choice.engine)!.meta.artefact, cell.precision);
      if (reference !== null) want(cell.model, reference.meta.artefact, cell.precision);
    }
    // Checkpoints first: one that has to be made anew may make what is derived from it another one.
    const isDerived = ([, kind]: Wanted) => Number(kind !== 'checkpoint');
    for (const artefact of [...wanted.values()].sort((a, b) => isDerived(a) - isDerived(b))) {
      await this.get(...artefact).catch((error) => {
        if (error instanceof UserError || !(error instanceof EngineError)) throw error;
        this.#onProgress(`cannot be prepared: ${artefact.join(' ')}: ${error.message.split('\n')[0]}`);
      });
    }
    // Its process holds memory, and nothing else may run while something is timed.
    await endPreparer();
  }

  async #prepare(name: string, kind: ArtefactKind, precision: Precision): Promise<PreparedArtefact> {
    if (kind === 'none') return { dir: '', sha256: '' };
    const model = this.#models.get(name)!;
    return prepareArtefact({
      model,
      kind,
      precision,
      device: this.#device,
      onProgress: this.#onProgress,
      onWarning: this.#onWarning,
    });
  }
}
