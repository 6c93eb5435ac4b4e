import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Format } from '../../../../src/config/syntax/formats.ts';
import {
  FormatError,
  byteSize,
  describe as describeValue,
  dialAddress,
  duration,
  integer,
  label,
  listenAddress,
  oneOf,
  text,
  isOff,
  toggle,
} from '../../../../src/config/syntax/formats.ts';

function refusal(format: Format<unknown>, value: unknown): string {
  try {
    format(value);
  } catch (error) {
    assert.ok(error instanceof FormatError);
    return error.message;
  }
  return 'accepted';
}

describe('formats', () => {
  it('describe a value on one line', () => {
    assert.equal(describeValue(null), 'an empty value');
    assert.equal(describeValue([1]), 'a list');
    assert.equal(describeValue(new Map()), 'a mapping');
    assert.equal(describeValue('a\nb'), '"a\\nb"');
    assert.equal(describeValue('x'.repeat(100)), `"${'x'.repeat(60)}..."`);
    assert.equal(describeValue(1.5), '1.5');
    assert.equal(describeValue(false), 'false');
  });

  it('read durations within their range', () => {
    const format = duration({ min: 10, max: 60_000, zero: 'never' });
    assert.equal(format('5s'), 5000);
    assert.equal(format('0s'), 0);
    assert.equal(format(0), 0);
    const remedy = 'is not a duration: write a number and a unit, such as 5s';
    assert.equal(refusal(format, '5 sec'), `"5 sec" ${remedy}`);
    assert.equal(refusal(format, 5), `5 ${remedy}`);
    assert.equal(refusal(format, null), `an empty value ${remedy}`);
    assert.equal(refusal(format, '2m'), '2m is out of range: write 10ms to 1m, or 0 for never');
    assert.equal(refusal(format, '9ms'), '9ms is out of range: write 10ms to 1m, or 0 for never');
    assert.equal(refusal(duration({ min: 1, max: 1000 }), '0s'), '0s is out of range: write 1ms to 1s');
    assert.equal(refusal(format, `${'9'.repeat(400)}d`).includes('out of range'), true);
  });

  it('read sizes with and without a unit', () => {
    const format = byteSize({ min: 1024, max: 1024 ** 2 });
    assert.equal(format('64KiB'), 65_536);
    assert.equal(format(2048), 2048);
    assert.equal(refusal(format, 16), '16B is out of range: write 1KiB to 1MiB');
    const remedy = 'is not a size: write a number and a unit, such as 64KiB';
    assert.equal(refusal(format, '64K'), `"64K" ${remedy}`);
    assert.equal(refusal(format, true), `true ${remedy}`);
    assert.equal(refusal(format, -1), `-1 ${remedy}`);
  });

  it('read integers only without quotes', () => {
    const format = integer({ min: 1, max: 100 });
    assert.equal(format(1), 1);
    assert.equal(format(100), 100);
    assert.equal(refusal(format, 0), '0 is out of range: write 1 to 100');
    assert.equal(refusal(format, '5'), '"5" is text: write the number without quotes');
    assert.equal(refusal(format, 1.5), '1.5 is not a whole number: write 1 to 100');
    assert.equal(refusal(format, NaN), 'NaN is not a whole number: write 1 to 100');
    assert.equal(refusal(format, 'many'), '"many" is not a whole number: write 1 to 100');
  });

  it('suggest the intended word', () => {
    const format = oneOf('round_robin', 'least_connections');
    assert.equal(format('round_robin'), 'round_robin');
    const refused = 'is not one of round_robin, least_connections';
    assert.equal(refusal(format, 'roundrobin'), `"roundrobin" ${refused}: did you mean round_robin?`);
    assert.equal(refusal(format, 'random'), `"random" ${refused}`);
    assert.equal(refusal(format, 1), `1 ${refused}`);
  });

  it('accept a word of digits with and without quotes', () => {
    const format = oneOf('1.2', '1.3');
    assert.equal(format('1.3'), '1.3');
    assert.equal(format(1.3), '1.3');
    assert.equal(refusal(format, 1.1), '1.1 is not one of 1.2, 1.3');
  });

  it('read switches as true and false only', () => {
    assert.deepEqual(['off', false, 'on', true, 0, null].map(isOff), [
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
    assert.equal(toggle(true), true);
    assert.equal(toggle(false), false);
    for (const value of ['true', 'yes', 1, 0, null])
      assert.match(refusal(toggle, value), /neither true nor false/);
  });

  it('read text, which a number is not', () => {
    const format = text('a name');
    assert.equal(format('x'), 'x');
    assert.equal(refusal(format, 5), '5 is not text: put it in quotes');
    assert.equal(refusal(format, ''), '"" is not a name: write at least one character');
    assert.equal(refusal(format, 'a\r\nb'), '"a\\r\\nb" has a control character, which a name cannot have');
    assert.equal(refusal(format, null), 'an empty value is not a name: write text');
  });

  it('keep names fit for labels', () => {
    for (const name of ['a', 'A-b_c.d', '0', 'x'.repeat(63)]) assert.equal(label(name), name);
    for (const name of ['a b', '-a', '.a', 'ä', 'a"', 'x'.repeat(64), 'a\n'])
      assert.match(refusal(label, name), /name/);
  });

  it('let a listener have a free port, but not an endpoint', () => {
    assert.deepEqual(listenAddress('127.0.0.1:0'), { kind: 'tcp', host: '127.0.0.1', port: 0 });
    assert.deepEqual(listenAddress(':8080'), { kind: 'tcp', host: '::', port: 8080 });
    assert.match(refusal(listenAddress, 8080), /^8080 is not an address to listen on: write host:port/);
    assert.match(refusal(listenAddress, 'unix:/x'), /is not an address to listen on/);
    assert.match(refusal(dialAddress, '127.0.0.1:0'), /has port 0/);
    assert.match(refusal(dialAddress, ':9001'), /every interface/);
    assert.match(refusal(dialAddress, '0.0.0.0:9001'), /every interface/);
    assert.match(refusal(dialAddress, 'unix:/a\u0000b'), /is not an endpoint's address/);
    assert.match(refusal(dialAddress, 'nowhere'), /is not an endpoint's address: write host:port/);
    assert.match(refusal(dialAddress, '3000'), /: write 3000 without quotes for a server on this machine$/);
    assert.match(
      refusal(dialAddress, 'http://a:3000/x'),
      /: write host:port without http:\/\/ and without a path$/,
    );
    assert.match(refusal(dialAddress, 'wss://a'), /without a path, and give its cluster tls: \{\}$/);
    assert.deepEqual(dialAddress('unix:./x'), { kind: 'unix', path: './x' });
  });

  it('throw only their own error, in one line', () => {
    const formats = [
      duration({ min: 1, max: 1000 }),
      byteSize({ min: 1, max: 1000 }),
      integer({ min: 1, max: 1000 }),
      oneOf('a', 'b'),
      toggle,
      text('a text'),
      label,
      listenAddress,
      dialAddress,
    ];
    fc.assert(
      fc.property(fc.anything(), fc.constantFrom<Format<unknown>>(...formats), (value, format) => {
        assert.ok(!refusal(format, value).includes('\n'));
      }),
    );
  });
});
