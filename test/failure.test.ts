import { describe, expect, it } from 'vitest';
import { EngineError, InfrastructureError, UserError } from '../src/errors.ts';
import { describeFailure } from '../src/failure.ts';

describe('describeFailure', () => {
  it('is message and hint for what is foreseen, with its exit code and never a stack', () => {
    const user = new UserError('x.yaml:1:2: wrong', { hint: 'mend it' });
    expect(describeFailure(user, true)).toEqual({
      text: 'error: x.yaml:1:2: wrong\nhint: mend it\n',
      exitCode: 2,
    });
    expect(describeFailure(new InfrastructureError('disk full'), true)).toEqual({
      text: 'error: disk full\n',
      exitCode: 4,
    });
    expect(describeFailure(new EngineError('unavailable', 'no library'), false)).toEqual({
      text: 'error: unavailable: no library\n',
      exitCode: 4,
    });
  });

  it('calls anything else a defect, with the stack only for who asks', () => {
    const defect = new TypeError('cannot read x');
    expect(describeFailure(defect, false)).toEqual({
      text: 'error: cannot read x\nThis is a defect of ortbench. Run it again with DEBUG=ortbench to see where.\n',
      exitCode: 4,
    });
    expect(describeFailure(defect, true).text).toContain('failure.test.ts');
    expect(describeFailure('thrown text', true).text).toContain('error: thrown text');
  });
});
