import { createInterface } from 'node:readline';
import { EngineError } from '../../errors.ts';
import { type Command, commandSchema, PROTOCOL_VERSION, type Reply } from '../../schema/protocol.ts';
import type { EngineSession } from '../engine.ts';
import { ENGINES } from '../index.ts';
import { asEngineFault } from './contain.ts';
import { endWithParent } from './end-with-parent.ts';
import { openProtocolOutput } from './protocol-output.ts';

/**
 * The runner process of a native engine: `node host.js ENGINE` speaks the runner protocol around the same session code
 * that runs in-process. End of stdin ends it between two commands, and the end of the harness at any moment.
 */
async function serve(engineId: string): Promise<void> {
  const load = ENGINES[engineId];
  if (load === undefined) throw new EngineError('failed', `no engine ${JSON.stringify(engineId)}`);
  const engine = await load();
  const send: (reply: Reply) => void = openProtocolOutput();
  endWithParent();
  let session: EngineSession | null = null;
  const loadedSession = (): EngineSession => {
    if (session === null) throw new EngineError('protocol-error', 'no model is loaded yet');
    return session;
  };

  const answer = async (command: Command): Promise<Reply> => {
    const { id } = command;
    switch (command.type) {
      case 'hello':
        if (command.protocol !== PROTOCOL_VERSION) {
          throw new EngineError(
            'protocol-error',
            `this runner speaks protocol ${PROTOCOL_VERSION}, asked for ${command.protocol}`,
          );
        }
        return {
          type: 'hello',
          id,
          protocol: PROTOCOL_VERSION,
          runner: engine.meta.id,
          versions: { node: process.versions.node },
        };
      case 'load': {
        if (engine.drive.kind !== 'native')
          throw new EngineError('failed', `${engineId} is not a native engine`);
        const { type: _type, id: _id, ...request } = command;
        session = await engine.drive.load(request);
        return { type: 'loaded', id, ...session.loaded };
      }
      case 'prepare': {
        const { type: _type, id: _id, ...shape } = command;
        return { type: 'prepared', id, ...(await loadedSession().prepare(shape)) };
      }
      case 'generate': {
        const { type: _type, id: _id, ...request } = command;
        return { type: 'generated', id, ...(await loadedSession().generate(request)) };
      }
      case 'teacherForce': {
        const { type: _type, id: _id, ...request } = command;
        return { type: 'teacherForced', id, ...(await loadedSession().teacherForce(request)) };
      }
      case 'close':
        await session?.close();
        return { type: 'closed', id };
    }
  };

  for await (const line of createInterface({ input: process.stdin })) {
    const command = commandSchema.parse(JSON.parse(line));
    try {
      send(await answer(command));
    } catch (error) {
      if (!(error instanceof EngineError)) console.error(error);
      const { code, message } = asEngineFault(error);
      send({ type: 'error', id: command.id, code, message });
    }
    if (command.type === 'close') return;
  }
}

serve(process.argv[2] ?? '').then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
