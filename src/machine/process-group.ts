import { readdirSync, readFileSync } from 'node:fs';

/** Whether no process of the group runs any more; one that ended and was not collected yet holds nothing. */
export function groupIsEmpty(group: number): boolean {
  if (group <= 0 || process.platform === 'win32') return true;
  try {
    process.kill(-group, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
  // Ended processes that nobody collects still answer to signals: in a container they may stay for good.
  return process.platform === 'linux' && !readdirSync('/proc').some((pid) => isLivingMember(pid, group));
}

function isLivingMember(pid: string, group: number): boolean {
  if (!/^\d+$/.test(pid)) return false;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // After the name in brackets: state, parent, group.
    const [state, , ofGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(ofGroup) === group && state !== 'Z' && state !== 'X';
  } catch {
    // It ended between the listing and the reading.
    return false;
  }
}
