import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SETTINGS, workerCount } from '../../../../src/config/schema/root-settings.ts';
import { FormatError } from '../../../../src/config/syntax/formats.ts';
import { automaticThreads } from '../../../../src/core/machine/resources.ts';
import { MINIMAL, errorsOf, load } from '../load.ts';

describe('settings of the root', () => {
  it('count threads', () => {
    assert.equal(workerCount('auto'), automaticThreads());
    assert.equal(workerCount(3), 3);
    for (const value of [0, -1, 1.5, 257, '2', 'all', null]) {
      assert.throws(() => workerCount(value), /is not a number of threads: write auto, or 1 to 256$/);
    }
  });

  it('limit the silence of a worker', () => {
    const stuckAfter = (text: string): string => `${MINIMAL}workers: { stuckAfter: ${text} }\n`;
    assert.equal(load(stuckAfter('1s')).config.workers.stuckAfterMs, 1000);
    assert.equal(load(stuckAfter('0')).config.workers.stuckAfterMs, 0);
    for (const text of ['999ms', '11m']) {
      assert.deepEqual(errorsOf(stuckAfter(text)), [
        `7:24: stuckAfter: ${text} is out of range: write 1s to 10m, or 0 for never`,
      ]);
    }
  });

  it('refuse a token that is guessable or invalid, without quoting it', () => {
    for (const token of [
      'too-short',
      'has a space in its middle',
      '\u00fcber-alle-massen-gut',
      1234567890123456,
    ]) {
      const [error = ''] = errorsOf(`admin: { token: ${JSON.stringify(token)} }\n${MINIMAL}`);
      assert.match(error, /token: the value is not a token: write 16 to 512 /);
      assert.ok(!error.includes(String(token)));
    }
  });

  it('have the host names of the admin address, and refuse wrong ones', () => {
    const { config } = load(`admin: { hosts: [Admin.Example.COM, sluice] }\n${MINIMAL}`);
    assert.deepEqual(config.admin.hosts, ['admin.example.com', 'sluice']);
    for (const [hosts, place, message] of [
      ["['admin:9480']", '1:18', 'write letters, digits and "-" with dots between, without a port'],
      ["[sluice, '*.example.com']", '1:26', 'is not a host name'],
      ['[sluice, 5]', '1:26', '5 is not text: put it in quotes'],
      ['"*.example.com"', '1:17', 'is not a host name'],
      ['5', '1:17', '5 is not a list: write a list of host names'],
    ] as const) {
      const [error = ''] = errorsOf(`admin: { hosts: ${hosts} }\n${MINIMAL}`);
      assert.ok(error.includes(`${place}: `) && error.includes(message), error);
    }
  });

  it('throw only format errors, in one line', () => {
    const formats = Object.values(SETTINGS).map(({ format }) => format);
    fc.assert(
      fc.property(fc.anything(), fc.constantFrom(...formats), (value, format) => {
        try {
          format(value);
        } catch (error) {
          assert.ok(error instanceof FormatError && !error.message.includes('\n'));
        }
      }),
    );
  });
});
