import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLogger } from '../../../src/telemetry/primary-logger.ts';

interface Line {
  readonly level: string;
  readonly time: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

function linesOf(text: string): Line[] {
  assert.ok(text === '' || text.endsWith('\n'));
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

function primaryLines(
  level: 'debug' | 'info' | 'silent',
  write: (log: ReturnType<typeof createLogger>) => void,
): Line[] {
  let text = '';
  write(createLogger({ level }, { write: (lines) => void (text += lines) }));
  return linesOf(text);
}

describe("the primary's logger", () => {
  it('writes only the level by name, an ISO time, the message and the given fields', () => {
    const [line] = primaryLines('info', (log) => log.info({ route: 'chat' }, 'ready'));
    assert.deepEqual(Object.keys(line ?? {}), ['level', 'time', 'route', 'msg']);
    assert.equal(line?.level, 'info');
    assert.equal(new Date(line.time).toISOString(), line.time);
  });

  it('omits lines below its level', () => {
    const levels = primaryLines('info', (log) => {
      log.debug('no');
      log.info('yes');
      log.fatal('yes');
    }).map(({ level }) => level);
    assert.deepEqual(levels, ['info', 'fatal']);
  });

  it('writes nothing if it is silent', () => {
    assert.deepEqual(
      primaryLines('silent', (log) => log.fatal('no')),
      [],
    );
  });

  it("writes an error's message, but not its other properties", () => {
    const error = Object.assign(new Error('refused', { cause: new TypeError('why') }), {
      code: 'ECONNREFUSED',
      headers: { authorization: 'Bearer secret' },
    });
    const [line] = primaryLines('info', (log) => log.error({ err: error }, 'dial failed'));
    const err = line?.err as Record<string, unknown>;
    assert.deepEqual(Object.keys(err), ['type', 'message', 'code', 'stack', 'cause']);
    assert.equal(err.code, 'ECONNREFUSED');
    assert.equal(err.cause, 'TypeError: why');
    assert.match(String(err.stack), /logger\.test\.ts/);
    assert.doesNotMatch(JSON.stringify(line), /secret/);
  });

  it('truncates long texts, including the message', () => {
    const [line] = primaryLines('info', (log) =>
      log.error({ text: 'x'.repeat(3000) }, 'y'.repeat(3_000_000)),
    );
    assert.equal(line?.text, `${'x'.repeat(2048)}...`);
    assert.equal(line.msg, `${'y'.repeat(2048)}...`);
  });

  it('rounds numbers to 6 decimals: seconds to microseconds', () => {
    const fields = { seconds: 0.1234564999, cpu: -2.00000049, count: 12, large: 1e300, none: Number.NaN };
    const [line] = primaryLines('info', (log) => log.info(fields, 'x'));
    const { seconds, cpu, count, large } = line!;
    assert.deepEqual({ seconds, cpu, count, large }, { seconds: 0.123456, cpu: -2, count: 12, large: 1e300 });
    assert.equal(fields.seconds, 0.1234564999);
  });

  it('writes thrown values that are not errors', () => {
    const [line] = primaryLines('info', (log) => log.error({ err: 'a string' }, 'odd'));
    assert.deepEqual(line?.err, { message: 'a string' });
  });
});
