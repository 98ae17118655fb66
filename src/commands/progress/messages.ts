import type { Formatter } from 'picocolors/types.js';
import type { RunEvent } from '../../runner/events.ts';
import { cellKey, sessionKey } from '../../schema/cell.ts';
import type { Status } from '../../schema/vocabulary.ts';
import type { Tracker } from './tracker.ts';

/** The colours that messages use; plain output hands in ones that do nothing. */
export type Colors = Record<'green' | 'yellow' | 'red', Formatter>;

/** The line that an event leaves behind; null for events that only move the status. */
export function messageOf(event: RunEvent, tracker: Tracker, colors: Colors): string | null {
  switch (event.type) {
    case 'message':
      return event.text;
    case 'parity': {
      const { verdict, reason } = event.record;
      if (verdict === 'match') return null;
      return `${colors.yellow('!')} parity of ${sessionKey(event.record)}: ${verdict}, ${reason}`;
    }
    case 'outcome': {
      const { cell, status, reason } = event;
      const detail = status === 'ok' ? tracker.lastRates(cell) : `${status}: ${reason?.split('\n')[0]}`;
      return `${markOf(status, colors)} ${cellKey(cell)}  ${detail}`;
    }
    default:
      return null;
  }
}

function markOf(status: Status, colors: Colors): string {
  if (status === 'ok') return colors.green('✓');
  return status === 'mismatch' || status === 'invalid' ? colors.yellow('!') : colors.red('✗');
}
