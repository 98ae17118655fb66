import type { GenerateRequest, Generation } from '../../schema/protocol.ts';
import { type LoadedDecoder, NativeSession } from '../native/session.ts';
import type { FakeOptions } from './engine.ts';

/** Runs that pass before something is compiled anew: no warm-up of a test is longer. */
const QUIET_RUNS = 3;

/** The shared loop, and faults of the answer that are none of the decoder's. */
export class FakeSession extends NativeSession {
  readonly #fault: FakeOptions['fault'];
  #runs = 0;

  constructor(fault: FakeOptions['fault'], loaded: LoadedDecoder) {
    super(loaded);
    this.#fault = fault;
  }

  override async generate(request: GenerateRequest): Promise<Generation> {
    const generation = await super.generate(request);
    this.#runs++;
    const recompiles = this.#fault === 'recompiles' && this.#runs > QUIET_RUNS ? 1 : 0;
    return { ...generation, recompiles };
  }
}
