import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { EventRow } from '../../../../src/protocol/admin/events.ts';
import type { LiveFrame } from '../../../../src/protocol/admin/live.ts';
import type { EventLog } from '../../../../src/cli/top/event-table.ts';
import { lengthOf, plainText, symbolsOf } from '../../../../src/cli/terminal/line.ts';
import { LiveModel } from '../../../../src/cli/top/rates.ts';
import { INITIAL, VIEWS, type TopState } from '../../../../src/cli/top/state.ts';
import { draw, print, type Content } from '../../../../src/cli/top/view.ts';
import { liveFrame } from '../../../support/http/live-frame.ts';

const symbols = symbolsOf({});
const QUIET = { paused: false, lost: null, restarted: false };

function contentOf(
  state: Partial<TopState>,
  frame: Partial<LiveFrame> = {},
  more: Partial<Content> = {},
): Content {
  return {
    model: new LiveModel(liveFrame(1, frame), liveFrame(0)),
    events: { rows: [], problem: null },
    state: { ...INITIAL, ...state },
    notices: QUIET,
    symbols,
    ...more,
  };
}

function screen(content: Content, width: number, height: number): string[] {
  return draw(content, { width, height }).lines.map(plainText);
}

const EVENTS: EventLog = {
  problem: null,
  rows: [
    event({
      number: 1,
      kind: 'handshake',
      reason: 'no_route',
      count: 12,
      client: '192.0.2.7',
      listener: 'web',
      host: 'example.com',
      path: '/nowhere',
      status: 404,
    }),
    event({
      number: 2,
      kind: 'session',
      reason: 'message_too_big',
      code: 1009,
      side: 'client',
      route: 'chat',
      principal: 'jwt:alice',
    }),
    event({
      number: 3,
      kind: 'endpoint',
      reason: 'ejected',
      detail: '2 connect failures in a row',
      cluster: 'chat',
      endpoint: '10.0.0.13:9001',
    }),
  ],
};

function event(facts: Pick<EventRow, 'number' | 'kind' | 'reason'> & Partial<EventRow>): EventRow {
  return { firstAt: '2030-01-01T11:59:50.000Z', at: '2030-01-01T11:59:58.000Z', count: 1, ...facts };
}

describe('the top screen', () => {
  it('shows a part of every table at 80x24', () => {
    assert.deepEqual(screen(contentOf({}), 80, 24), [
      'sluice 1.2.3  ready  generation 3  up 2h 5m  pid 4242                  12:00:01Z',
      'sessions 12345      handshakes/s 100    handshake p50 1.2ms tunnels 7',
      'messages/s 15k      handshake p99 20ms  connections 12400   bytes/s 4M',
      'errors/s 20         memory 345M         requests/s 40       buffers 25% of 64M',
      'accepts/s 100       tunnels/s 0         request p50 3ms     request p99 250ms',
      '',
      '[1 all] 2 clusters  3 endpoints  4 workers  5 errors  6 listeners  7 events',
      'CLUSTER  ENDPOINT        STATE    CONNS  ANS/S   MEAN  5XX/S  FAILS  PROBE',
      'chat     10.0.0.13:9001  ejected      0      0      -      0      9      -',
      '  2 connect failures in a row; ejected for 30s',
      'CLUSTER      STATE     UP  CONNS    MAX  ANS/S  5XX/S  FAIL/S  RETRY/S  REJECT/S',
      'chat         up       2/3    12k    20k     40      2       1        1         0',
      'a-cluster-…  up       1/1    345      -      0      0       0        0         0',
      'ERROR      REASON    RATE/S  TOTAL',
      'limit      messages      20     40',
      'handshake  no_route       0    480',
      'WORKER  STATE  CONNS   BUSY    LAG  RESTARTS  OLDER  GENERATION',
      'l7-0    up      6000    42%  1.1ms         0      0           3',
      'l7-1    up      6345    97%  150ms         1      0           3',
      'LISTENER  MODE    ADDRESS       CONNS  ENGINE   CERT  STATE    WHY THIS ENGINE',
      'web       l7 tls  0.0.0.0:443     12k  raw        5d  up       auto: the kernel…',
      'tcp       l4      0.0.0.0:8081      7  raw         -  drained  auto: the kernel…',
      '',
      '? help  / filter  s sort  space pause  q quit',
    ]);
  });

  it('writes the number of hidden rows beside the head of whole columns', () => {
    const [first] = liveFrame(1).clusters;
    const clusters = Array.from({ length: 20 }, (_, place) => ({
      ...first!,
      name: `app-${place}`,
      endpoints: [],
    }));
    const lines = screen(contentOf({ filter: 'app-' }, { clusters }), 80, 24);
    assert.deepEqual(lines.slice(7, 9), [
      'CLUSTER  STATE     UP  CONNS  ANS/S  5XX/S  FAIL/S  RETRY/S  REJECT/S    +5 more',
      'app-0    up       2/3    12k      -      -       -        -         -',
    ]);
  });

  it('shows a table at 60x14', () => {
    assert.deepEqual(screen(contentOf({ view: 'endpoints' }), 60, 14), [
      'sluice 1.2.3  ready  generation 3  up 2h 5m        12:00:01Z',
      'sessions 12345      handshakes/s 100    handshake p50 1.2ms',
      'tunnels 7           messages/s 15k      handshake p99 20ms',
      'connections 12400   bytes/s 4M          errors/s 20',
      'memory 345M         requests/s 40       buffers 25% of 64M',
      '',
      ' 1 all  2 clust [3 endp] 4 work  5 errs  6 listen  7 events',
      'CLUSTER     ENDPOINT            STATE    CONNS  ANS/S   MEAN',
      'chat        10.0.0.13:9001      ejected      0      0      -',
      '  2 connect failures in a row; ejected for 30s',
      'chat        10.0.0.11:9001      up        6000     30   20ms',
      'chat        10.0.0.12:9001      up        6000     10  500ms',
      'a-cluster…  a-long-host-name.…  up         345      0      -',
      '? help  / filter  s sort  space pause  q quit',
    ]);
  });

  it('says in one line that a smaller terminal is too small', () => {
    assert.deepEqual(screen(contentOf({}), 59, 14)[0], 'sluice top needs 60x14, this is 59x14 (q quits)');
    assert.deepEqual(screen(contentOf({}), 20, 3), ['sluice top needs 60…', '', '']);
  });

  it('always has as many lines as the terminal, and none wider than it', () => {
    const states = fc.record({
      view: fc.constantFrom(...VIEWS),
      filter: fc.constantFrom('', 'a', '10.0', 'nothing like it'),
      offset: fc.nat(100),
      typing: fc.boolean(),
      help: fc.boolean(),
      sort: fc.option(fc.record({ column: fc.nat(12), falling: fc.boolean() })),
    });
    fc.assert(
      fc.property(
        states,
        fc.integer({ min: 1, max: 250 }),
        fc.integer({ min: 1, max: 80 }),
        (state, width, height) => {
          const sorts = state.sort === null ? {} : { [state.view]: state.sort };
          const notices = {
            paused: true,
            lost: 'the admin address does not answer: '.repeat(3),
            restarted: true,
          };
          const content = contentOf({ ...state, sorts }, {}, { events: EVENTS, notices });
          const { lines } = draw(content, { width, height });
          assert.equal(lines.length, height);
          for (const line of lines) assert.ok(lengthOf(line) <= width, plainText(line));
        },
      ),
    );
  });

  it('says what needs attention', () => {
    const frame = {
      notReady: 'draining',
      lastReloadSucceeded: false,
      needsRestart: ['admin.address'],
      drains: [{ scope: { kind: 'cluster', name: 'chat' }, total: 9, remaining: 2, seconds: 1 }] as const,
    };
    const [title, ...lines] = screen(
      contentOf({}, frame, { notices: { ...QUIET, restarted: true } }),
      200,
      50,
    );
    assert.match(title ?? '', /^sluice 1\.2\.3  not ready  /);
    assert.equal(
      lines[2],
      'the proxy was restarted | not ready: draining | the last reload failed | draining cluster chat: 2 of 9 left | ' +
        'restart to bring into force: admin.address',
    );
  });

  it('says that the connection is lost, and that the view is paused', () => {
    const notices = { paused: true, lost: 'nothing listens there', restarted: false };
    const lines = screen(contentOf({}, {}, { notices }), 80, 24);
    assert.match(lines[0] ?? '', /^sluice 1\.2\.3 {2}LOST, trying again .* PAUSED$/);
    assert.equal(lines[5], 'nothing listens there');
  });

  it('shows the latest events, newest first, with their client, place and answer', () => {
    assert.deepEqual(screen(contentOf({ view: 'events' }, {}, { events: EVENTS }), 120, 14).slice(6, 11), [
      'TIME      KIND       REASON           TIMES  CLIENT     WHERE                PRINCIPAL  ANSWER',
      '11:59:58  endpoint   ejected              1  -          chat 10.0.0.13:9001  -          -',
      '  2 connect failures in a row',
      '11:59:58  session    message_too_big      1  -          chat                 jwt:alice  code 1009 by client',
      '11:59:58  handshake  no_route            12  192.0.2.7  web                  -          404 example.com/nowhere',
    ]);
  });

  it('says why a table has no rows', () => {
    const body = (state: Partial<TopState>, events?: EventLog): string | undefined =>
      screen(contentOf(state, { errors: [] }, events === undefined ? {} : { events }), 80, 24)[8];
    assert.equal(body({ view: 'errors' }), 'no errors since the start');
    assert.equal(body({ view: 'events' }), 'nothing was refused, and nothing has failed');
    assert.equal(body({ view: 'events' }, { rows: [], problem: 'no token' }), 'no token');
    assert.equal(body({ view: 'workers', filter: 'x' }), 'no row of 2 has "x"');
    assert.equal(screen(contentOf({ filter: 'x y z' }), 80, 24)[7], 'nothing here has "x y z"');
  });

  it('scrolls rows below a fixed header, and shows the position', () => {
    const [worker] = liveFrame().workers;
    const workers = Array.from({ length: 100 }, (_, index) => ({ ...worker!, name: `l7-${index}` }));
    const at = (offset: number): string[] =>
      screen(contentOf({ view: 'workers', offset }, { workers }), 80, 24);
    const [top, middle, bottom] = [at(0), at(50), at(1000)];
    assert.equal(top[7], middle[7]);
    assert.match(top[8] ?? '', /^l7-0 /);
    assert.match(middle[8] ?? '', /^l7-50 /);
    assert.match(bottom.at(-2) ?? '', /^l7-99 /);
    assert.match(top.at(-1) ?? '', /^1-15 of 100 /);
    assert.match(bottom.at(-1) ?? '', /^86-100 of 100 /);
  });

  it('shows the filter while it is typed and while it applies', () => {
    assert.equal(
      screen(contentOf({ typing: true, filter: 'ch' }), 80, 24).at(-1),
      'filter: ch_  Enter keeps, Esc clears',
    );
    const lines = screen(contentOf({ view: 'clusters', filter: 'CHAT' }), 80, 24);
    assert.match(lines.at(-1) ?? '', /^filter: CHAT \(Esc clears\) /);
    assert.deepEqual([lines[8]?.slice(0, 4), lines[9]], ['chat', '']);
  });

  it('lists the keys in its help', () => {
    assert.ok(screen(contentOf({ help: true }), 60, 14).includes(' q, Ctrl-C       quit'));
  });

  it('is ASCII in a locale without UTF-8', () => {
    const ascii = symbolsOf({ LC_ALL: 'C', LANG: 'en_US.UTF-8' });
    const state = { view: 'clusters', sorts: { clusters: { column: 3, falling: true } } } as const;
    const lines = screen(contentOf(state, {}, { symbols: ascii }), 80, 24);
    assert.match(lines[7] ?? '', /CONNSv/);
    assert.match(lines[9] ?? '', /^a-cluster~/);
    assert.match(lines.join(''), /^[ -~]*$/);
  });
});

describe('top without a terminal', () => {
  it('writes every table once, without truncation', () => {
    const { model } = contentOf({});
    const text = print({ model, notices: QUIET, symbols }).map(plainText).join('\n');
    assert.match(text, /^sluice 1\.2\.3 {2}ready {2}generation 3/);
    assert.match(text, /^a-cluster-with-a-name-that-nobody-can-remember {2}up /m);
    for (const head of ['CLUSTER  .* BALANCER', 'CLUSTER .* ENDPOINT', 'WORKER', 'ERROR', 'LISTENER']) {
      assert.match(text, new RegExp(`\n\n${head}`));
    }
  });
});
