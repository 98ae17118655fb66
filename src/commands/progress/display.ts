import { createLogUpdate } from 'log-update';
import pc from 'picocolors';
import { redactSecrets } from '../../files/redact.ts';
import type { RunEvent } from '../../runner/events.ts';
import { formatDuration } from '../../units.ts';
import { messageOf } from './messages.ts';
import { type TrackedCell, Tracker } from './tracker.ts';

export interface Progress {
  event(event: RunEvent): void;
  /** A line that stays. */
  line(text: string): void;
  /** Something is going on before the first cell runs. */
  status(text: string): void;
  begin(cells: readonly TrackedCell[], rounds: number, alreadyDone: number): void;
  end(): void;
}

/** A status block on a terminal, plain lines elsewhere. All of it on stderr: stdout is for results. */
export function createProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  return stream.isTTY && !process.env.CI ? terminalProgress(stream) : plainProgress(stream);
}

/** "12 of 32 cells, 3 min 20 s so far, about 5 min 10 s left" */
export function describeTimes(tracker: Tracker, elapsedSeconds: number): string {
  const left = tracker.secondsLeft(elapsedSeconds);
  const rest = left === null ? '' : `, about ${formatDuration(left)} left`;
  return `${tracker.done} of ${tracker.total} cells, ${formatDuration(elapsedSeconds)} so far${rest}`;
}

/** What is going on, in one line: an installer's own lines can be very long. */
function shorten(text: string): string {
  const longest = 120;
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}

const NOTHING = new Tracker([], 1, 0);

function plainProgress(stream: NodeJS.WriteStream): Progress {
  const plain = pc.createColors(false);
  let tracker = NOTHING;
  let startedMs = performance.now();
  const line = (text: string) => void stream.write(`${redactSecrets(text)}\n`);
  return {
    line,
    status: (text) => line(shorten(text)),
    begin(...planned) {
      tracker = new Tracker(...planned);
      startedMs = performance.now();
    },
    event(event) {
      tracker.observe(event);
      const message = messageOf(event, tracker, plain);
      if (message === null) return;
      const times =
        event.type === 'outcome'
          ? `  [${describeTimes(tracker, (performance.now() - startedMs) / 1e3)}]`
          : '';
      line(message + times);
    },
    end: () => {},
  };
}

const BAR_WIDTH = 24;

function terminalProgress(stream: NodeJS.WriteStream): Progress {
  const block = createLogUpdate(stream, { showCursor: true });
  let tracker = NOTHING;
  let startedMs = performance.now();
  let status = '';
  // Drawn on events only: a ticking clock would wake the harness while an engine is being timed.
  const draw = () => {
    if (tracker === NOTHING) return block(pc.dim(status));
    const filled = Math.round((BAR_WIDTH * tracker.done) / Math.max(1, tracker.total));
    const bar = pc.cyan('█'.repeat(filled)) + pc.dim('░'.repeat(BAR_WIDTH - filled));
    const times = describeTimes(tracker, (performance.now() - startedMs) / 1e3);
    block(`${bar} ${times}\n${tracker.current}\n${pc.dim(tracker.rate)}`);
  };
  const line = (text: string) => {
    block.clear();
    stream.write(`${redactSecrets(text)}\n`);
    draw();
  };
  return {
    line,
    status(text) {
      status = shorten(redactSecrets(text));
      draw();
    },
    begin(...planned) {
      tracker = new Tracker(...planned);
      startedMs = performance.now();
      draw();
    },
    event(event) {
      tracker.observe(event);
      const message = messageOf(event, tracker, pc);
      if (message === null) draw();
      else line(message);
    },
    end() {
      block.clear();
      block.done();
      tracker = NOTHING;
    },
  };
}
