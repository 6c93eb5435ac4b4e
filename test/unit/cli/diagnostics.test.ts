import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeFailure, warningLines } from '../../../src/cli/diagnostics.ts';
import { ConfigError, StartError, UsageError } from '../../../src/core/errors.ts';

describe('diagnostics', () => {
  it('report bad usage in one line and a hint, with status 2', () => {
    assert.deepEqual(describeFailure(new UsageError('no command given')), {
      text: 'sluice: no command given\nTry sluice help.\n',
      status: 2,
    });
    assert.equal(
      describeFailure(new UsageError('-c needs a file'), 'check').text,
      'sluice: -c needs a file\nTry sluice help check.\n',
    );
  });

  it('report each configuration problem on its own line, with status 1', () => {
    const error = new ConfigError([
      { place: 'a.yaml:1:2', message: 'one' },
      { place: '--set x', message: 'two' },
    ]);
    assert.deepEqual(describeFailure(error), { text: 'a.yaml:1:2: one\n--set x: two\n', status: 1 });
  });

  it('report warnings after the problems, which they may explain', () => {
    const error = new ConfigError(
      [{ place: 'a.yaml:1:2', message: 'one' }],
      [],
      [{ place: 'a.yaml:3:4', message: 'no file matches' }],
    );
    const text = 'a.yaml:1:2: one\nwarning: a.yaml:3:4: no file matches\n';
    assert.deepEqual(describeFailure(error), { text, status: 1 });
  });

  it('report a failed start in one line, with status 1', () => {
    const text = 'sluice: cannot listen on :80: permission denied\n';
    assert.deepEqual(describeFailure(new StartError('cannot listen on :80: permission denied')), {
      text,
      status: 1,
    });
  });

  it('include the stack trace of an internal error', () => {
    const { text, status } = describeFailure(new TypeError('x is not a function'));
    assert.equal(status, 1);
    assert.match(text, /^sluice: internal error: TypeError: x is not a function\n +at /);
    assert.equal(describeFailure('thrown text').text, 'sluice: internal error: thrown text\n');
  });

  it('prefix each warning with its level', () => {
    assert.equal(warningLines([]), '');
    assert.equal(
      warningLines([
        { place: 'a.yaml:1:2', message: 'one' },
        { place: 'environment X', message: 'two' },
      ]),
      'warning: a.yaml:1:2: one\nwarning: environment X: two\n',
    );
  });
});
