import type { Engine, EngineSession } from '../engines/engine.ts';
import { ENGINES } from '../engines/index.ts';
import type { ToolProgram, Turn, Yardstick } from '../engines/yardstick.ts';
import { EngineError } from '../errors.ts';
import { ChildSession } from '../runner/child/session.ts';
import type { IdleWatch, Resident } from '../runner/idle.ts';
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
  /** What stays loaded between its turns; nothing of a program. */
  readonly residents: readonly Resident[];
  /** Readies a shape; returns what is effective of it. */
  prepare(shape: Shape): Promise<Effective>;
  turn(work: Work, shape: Shape, turn: Turn, driver: Effective): Promise<TakenTurn>;
  close(): Promise<void>;
}

export async function openDriver(
  engine: Engine,
  request: LoadRequest,
  idle: IdleWatch,
): Promise<Participant> {
  const session = await openSession(engine, request, isolationOf(engine, undefined), LIMITS);
  return sessionParticipant(session, 'driver', idle);
}

/** The tool on the driver's own artefact, with its threads and sizes. @throws EngineError */
export async function openTool(
  { title, drive }: Yardstick,
  request: LoadRequest,
  toolFolders: readonly string[],
  idle: IdleWatch,
): Promise<Participant> {
  switch (drive.kind) {
    case 'program':
      return programParticipant(await drive.open(request, toolFolders));
    case 'runner': {
      const command = await drive.command();
      return sessionParticipant(
        await ChildSession.open(command, { ...request, options: drive.options(request) }, LIMITS),
        title,
        idle,
      );
    }
    case 'engine': {
      const load = ENGINES[drive.engine];
      if (load === undefined) throw new EngineError('unavailable', `there is no engine ${drive.engine}`);
      const engine = await load();
      const options = engine.options.parse(drive.options);
      return sessionParticipant(
        await openSession(engine, { ...request, options }, isolationOf(engine, undefined), LIMITS),
        title,
        idle,
      );
    }
  }
}

/** Threads that begin in this process while it loads, prepares or takes a turn are its own. */
function sessionParticipant(session: EngineSession, key: string, idle: IdleWatch): Participant {
  const { versions, effective } = session.loaded;
  const pid = session instanceof ChildSession ? session.pid : null;
  const claimThreads = () => {
    if (pid === null) idle.attribute(key);
  };
  claimThreads();
  return {
    versions,
    caveat: null,
    residents: [{ key, pid }],
    async prepare(shape) {
      const prepared = await session.prepare(shape);
      claimThreads();
      return { ...effective, ...prepared.effective };
    },
    async turn(work, _shape, turn) {
      const taken = await sessionTurn(session, work, turn);
      claimThreads();
      return taken;
    },
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
