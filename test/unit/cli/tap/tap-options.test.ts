import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseArguments } from '../../../../src/cli/arguments.ts';
import { planOf, type TapPlan } from '../../../../src/cli/tap/tap-options.ts';
import { UsageError } from '../../../../src/core/errors.ts';

function plan(...argv: readonly string[]): TapPlan {
  const invocation = parseArguments(['tap', ...argv], {});
  assert.ok(invocation.kind === 'command');
  return planOf(invocation.options);
}

describe('tap options', () => {
  it('become query parameters of the admin API', () => {
    assert.equal(plan().path, '/tap');
    assert.equal(
      plan('--client', '192.0.2.7', '--payload', '--redact', '$.a', '--redact=/b/').path,
      '/tap?client=192.0.2.7&payload=true&redact=%24.a&redact=%2Fb%2F',
    );
    assert.equal(plan('--sample', '1%', '--max-payload', '8KiB').path, '/tap?sample=1%25&maxPayload=8KiB');
  });

  it('accept values copied from a terminal, and decode their escapes', () => {
    assert.deepEqual(plan('--principal', 'jwt:ren\\u00e9').filter, { principal: 'jwt:ren\u00e9' });
  });

  it('state when the tap ends', () => {
    const { durationMs, frames } = plan('--duration', '1.5m', '--frames', '20');
    assert.deepEqual([durationMs, frames], [90_000, 20]);
    assert.deepEqual([plan().durationMs, plan().frames], [null, null]);
  });

  it('choose the format of the output by its file name', () => {
    for (const [file, format] of [
      ['a.har', 'har'],
      ['A.HAR', 'har'],
      ['a.jsonl', 'recording'],
      ['har', 'recording'],
    ] as const) {
      assert.deepEqual(plan('--output', file).output, { file, format, force: false });
    }
  });

  it('may name a recording to read, or stdin', () => {
    assert.equal(plan('--from', 'a.jsonl', '--route', 'chat', '--hex').from, 'a.jsonl');
    assert.equal(plan('--from', '-').from, '-');
    assert.equal(plan('--from=-').from, '-');
  });

  for (const [argv, reason] of [
    [['--from', 'a', '--sample', '1%'], '--sample is for a running sluice: leave it out with --from'],
    [['--from', 'a', '--output', './a'], '--from and --output name the same file'],
    [['--hex'], '--hex shows payloads: add --payload'],
    [['--redact', '/(/'], /^--redact \/\(\/: invalid expression: missing closing/],
    [['--duration', '0'], /^--duration 0: write a number and a unit/],
    [['--max-payload', '65KiB'], /^--max-payload 65KiB: write a size/],
    [['--from', '--json'], '--from needs a file'],
  ] as const) {
    it(`refuse ${argv.join(' ')}`, () => {
      assert.throws(
        () => plan(...argv),
        (error) =>
          error instanceof UsageError &&
          (typeof reason === 'string' ? error.message === reason : reason.test(error.message)),
      );
    });
  }
});
