import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Logger } from '../../../src/telemetry/logger.ts';
import { createLogger } from '../../../src/telemetry/primary-logger.ts';
import { createWorkerLogger } from '../../../src/telemetry/worker-logger.ts';

interface Line {
  readonly worker: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

function linesOf(text: string): Line[] {
  assert.ok(text.endsWith('\n'));
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

describe("a worker's logger", () => {
  it('posts the lines of one turn of the event loop together, under its name', async () => {
    const posts: string[] = [];
    const log = createWorkerLogger({ level: 'info' }, 'l7-0', (lines) => posts.push(lines));
    log.info('one');
    log.info('two');
    assert.equal(posts.length, 0);
    await turn();
    log.info('three');
    await turn();
    assert.deepEqual(
      posts.map((post) => linesOf(post).map(({ worker, msg }) => [worker, msg])),
      [
        [
          ['l7-0', 'one'],
          ['l7-0', 'two'],
        ],
        [['l7-0', 'three']],
      ],
    );
  });

  it('posts at once when many lines wait, without losing any', async () => {
    const posts: string[] = [];
    const log = createWorkerLogger({ level: 'info' }, 'l7-0', (lines) => posts.push(lines));
    for (let index = 0; index < 100; index++) log.info({ index }, 'x'.repeat(1000));
    assert.ok(posts.length >= 1);
    for (const post of posts) assert.ok(post.length < 70_000);
    await turn();
    const indexes = posts.flatMap((post) => linesOf(post).map(({ index }) => index));
    assert.deepEqual(indexes, [...Array(100).keys()]);
  });

  it('posts once on flush', async () => {
    const posts: string[] = [];
    const log = createWorkerLogger({ level: 'info' }, 'l4-0', (lines) => posts.push(lines));
    log.info('last words');
    log.flush();
    assert.equal(posts.length, 1);
    await turn();
    log.flush();
    assert.equal(posts.length, 1);
  });

  it('posts nothing if it is silent', async () => {
    const log = createWorkerLogger({ level: 'silent' }, 'l4-0', () => assert.fail('posted'));
    log.fatal('no');
    log.flush();
    await turn();
  });
});

describe("a worker's lines", () => {
  const error = Object.assign(new Error('refused', { cause: new TypeError('why') }), {
    code: 'ECONNREFUSED',
    headers: { authorization: 'Bearer secret' },
  });
  const events: readonly [what: string, write: (log: Logger) => void][] = [
    ['have no fields', (log) => log.info('ready')],
    ['have no fields, but a percent sign', (log) => log.warn('100%s %d %%')],
    ['have empty fields', (log) => log.info({}, 'ready')],
    [
      'have strings',
      (log) => log.info({ route: 'chat', path: '/\u00fc"\\\n\u0007\u2028\u{1f600}' }, 'x"\\\t'),
    ],
    ['have long strings', (log) => log.error({ text: `"${'x'.repeat(3000)}` }, '\u00e9'.repeat(3000))],
    [
      'have numbers',
      (log) => log.info({ one: 1, seconds: 0.1234564999, large: 1e300, none: NaN, far: Infinity }, 'x'),
    ],
    [
      'have booleans, null, undefined and functions',
      (log) => log.info({ yes: true, none: null, left: undefined, call: () => 1 }, 'x'),
    ],
    [
      'have arrays and objects',
      (log) => log.info({ list: [1, 'a"', null], map: { a: { b: undefined } } }, 'x'),
    ],
    ['have an error', (log) => log.error({ err: error, listener: 'web' }, 'failed')],
    ['have a thrown value that is not an error', (log) => log.fatal({ err: 'a string' }, 'odd')],
    ['have an undefined error', (log) => log.error({ err: undefined, other: 1 }, 'odd')],
    ['have fields named like the standard ones', (log) => log.info({ worker: 'x', level: 1, msg: 'y' }, 'z')],
    ['have unusual field names', (log) => log.info({ 'a"b': 1, __proto: 2, '\n': 3 }, 'x')],
  ];

  for (const [what, write] of events) {
    it(`equal pino's if they ${what}`, () => {
      let [ours, theirs] = ['', ''];
      const log = createWorkerLogger({ level: 'debug' }, 'l7-"0"', (lines) => (ours += lines));
      write(log);
      log.flush();
      write(createLogger({ level: 'debug' }, { write: (lines) => (theirs += lines) }));
      assert.equal(timeless(ours).replace(',"worker":"l7-\\"0\\""', ''), timeless(theirs));
    });
  }

  it('are omitted below the level, even if it changes', () => {
    for (const level of ['debug', 'info', 'warn', 'error', 'silent'] as const) {
      let [ours, theirs] = ['', ''];
      const log = createWorkerLogger({ level: 'info' }, 'l7-0', (lines) => (ours += lines));
      const model = createLogger({ level: 'info' }, { write: (lines) => (theirs += lines) });
      for (const each of [log, model]) {
        each.level = level;
        for (const name of ['debug', 'info', 'warn', 'error', 'fatal'] as const) each[name](name);
      }
      log.flush();
      assert.equal(timeless(ours).replaceAll(',"worker":"l7-0"', ''), timeless(theirs));
      for (const name of ['debug', 'info', 'fatal']) {
        assert.equal(log.isLevelEnabled(name), model.isLevelEnabled(name), `${name} at ${level}`);
      }
    }
  });

  it('have an ISO time', () => {
    let text = '';
    const log = createWorkerLogger({ level: 'info' }, 'l7-0', (lines) => (text += lines));
    const before = Date.now();
    log.info('x');
    log.flush();
    const time = String(linesOf(text)[0]!.time);
    assert.equal(new Date(time).toISOString(), time);
    assert.ok(Date.parse(time) >= before && Date.parse(time) <= Date.now());
  });

  it('note fields that cannot be serialized', () => {
    let text = '';
    const log = createWorkerLogger({ level: 'info' }, 'l7-0', (lines) => (text += lines));
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    log.info(loop, 'x');
    log.flush();
    assert.deepEqual(Object.keys(linesOf(text)[0]!), ['level', 'time', 'worker', 'fields', 'msg']);
  });
});

/** Returns lines without their times. */
function timeless(lines: string): string {
  return lines.replaceAll(/"time":"[^"]+"/g, '"time"');
}
