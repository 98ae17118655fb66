import type { Engine, EngineSession } from '../engines/engine.ts';
import { ENGINES } from '../engines/index.ts';
import type { ToolProgram, Turn, Yardstick } from '../engines/yardstick.ts';
import { EngineError } from '../errors.ts';
import { ChildSession } from '../runner/child/session.ts';
import { isolationOf, openSession } from '../runner/open-session.ts';
import type { Work } from '../runner/work.ts';
import type { Effective, LoadRequest, Shape } from '../schema/protocol.ts';
import { programRuns, sessionTurn, type TakenTurn } from './turn.ts';

/** Compiling a shape in every mode of a compiler takes minutes. */
const LIMITS = { readySeconds: 600, cellSeconds: 1800, closeSeconds: 30 };

/** The driver, or a tool, ready to take turns. Methods throw EngineError. */
export interface Participant {
  readonly versions: Readonly<Record<string, string>>;
  readonly caveat: string | null;
  /** Process of each session that stays loaded between turns; null for this process. */
  readonly residents: readonly (number | null)[];
  /** Readies a shape; returns what is effective of it. */
  prepare(shape: Shape): Promise<Effective>;
  turn(work: Work, shape: Shape, turn: Turn, driver: Effective): Promise<TakenTurn>;
  close(): Promise<void>;
}

export async function openDriver(engine: Engine, request: LoadRequest): Promise<Participant> {
  return sessionParticipant(await openSession(engine, request, isolationOf(engine, undefined), LIMITS));
}

/** The tool on the driver's own artefact, with its threads and sizes. @throws EngineError */
export async function openTool(
  { drive }: Yardstick,
  request: LoadRequest,
  toolFolders: readonly string[],
): Promise<Participant> {
  switch (drive.kind) {
    case 'program':
      return programParticipant(await drive.open(request, toolFolders));
    case 'runner': {
      const command = await drive.command();
      return sessionParticipant(
        await ChildSession.open(command, { ...request, options: drive.options(request) }, LIMITS),
      );
    }
    case 'engine': {
      const load = ENGINES[drive.engine];
      if (load === undefined) throw new EngineError('unavailable', `there is no engine ${drive.engine}`);
      const engine = await load();
      const options = engine.options.parse(drive.options);
      return sessionParticipant(
        await openSession(engine, { ...request, options }, isolationOf(engine, undefined), LIMITS),
      );
    }
  }
}

function sessionParticipant(session: EngineSession): Participant {
  const { versions, effective } = session.loaded;
  return {
    versions,
    caveat: null,
    residents: [session instanceof ChildSession ? session.pid : null],
    prepare: async (shape) => ({ ...effective, ...(await session.prepare(shape)).effective }),
    turn: (work, _shape, turn) => sessionTurn(session, work, turn),
    close: () => session.close(),
  };
}

/** Each turn is a process of its own, which this one waits for: its time is then counted as this one's. */
function programParticipant(program: ToolProgram): Participant {
  return {
    versions: program.versions,
    caveat: program.caveat,
    residents: [],
    prepare: async () => ({}),
    turn: async (work, shape, turn, driver) => programRuns(await program.measure(shape, turn, driver), work),
    close: async () => {},
  };
}
