import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RecordText, timeOf, type TextStyle } from '../../../../src/cli/tap/record-text.ts';
import { symbolsOf } from '../../../../src/cli/terminal/line.ts';
import { visible } from '../../../../src/cli/terminal/visible.ts';
import type { FrameRecord, SessionRecord, TapRecord } from '../../../../src/wire/recording/records.ts';

const AT = Date.UTC(2030, 0, 1, 12, 0, 0, 123);
const TIME = timeOf(AT);
const UNICODE = symbolsOf({});
const WIDE: TextStyle = { width: 120, symbols: UNICODE, colours: false, hex: false };
const NARROW: TextStyle = { ...WIDE, width: 80 };

const SESSION: SessionRecord = {
  type: 'session',
  at: AT,
  session: 'a0-7',
  openedAt: AT,
  listener: 'web',
  cluster: 'app',
  endpoint: '10.0.0.11:9001',
  client: '192.0.2.7',
  route: 'chat',
  principal: 'jwt:alice',
  request: { target: '/chat?token=[cut]', headers: [] },
};

function frame(fields: Partial<FrameRecord>): FrameRecord {
  return { type: 'frame', at: AT, session: 'a0-7', from: 'client', opcode: 'text', length: 5, ...fields };
}

function write(record: TapRecord, style: TextStyle = WIDE): string {
  return new RecordText().write(record, style);
}

describe('the text of a frame', () => {
  for (const [what, record, shown] of [
    ['a text frame', frame({ text: 'hello' }), 'client -> endpoint text         5 hello'],
    ['a frame without its payload', frame({}), 'client -> endpoint text         5'],
    ['a frame from the endpoint', frame({ from: 'endpoint' }), 'client <- endpoint text         5'],
    [
      'a ping from the proxy',
      frame({ from: 'proxy', to: 'client', opcode: 'ping' }),
      'client <- proxy    ping         5',
    ],
    [
      'a pong from the proxy',
      frame({ from: 'proxy', to: 'endpoint', opcode: 'pong' }),
      'proxy -> endpoint  pong         5',
    ],
    [
      'a binary frame',
      frame({ opcode: 'binary', base64: 'AAH/' }),
      'client -> endpoint binary       5 <00 01 ff>',
    ],
    ['the first fragment of a message', frame({ fin: false }), 'client -> endpoint text+        5'],
    [
      'the last fragment, with the size of the message',
      frame({ opcode: 'continuation', size: 12, text: 'hi' }),
      'client -> endpoint cont         5 of 12 hi',
    ],
    [
      'a compressed frame, with its uncompressed size',
      frame({ compressed: true, size: 400, text: 'hi' }),
      'client -> endpoint text         5 z400 hi',
    ],
    [
      'a compressed frame of unknown size',
      frame({ compressed: true }),
      'client -> endpoint text         5 z',
    ],
    ['a truncated payload', frame({ text: 'abc', cut: true }), 'client -> endpoint text         5 abc…'],
    [
      'a close frame',
      frame({ opcode: 'close', code: 1000, text: 'bye' }),
      'client -> endpoint close        5 1000 bye',
    ],
    [
      'why a payload is withheld',
      frame({ withheld: 'joined' }),
      'client -> endpoint text         5 [not shown: its beginning is missing]',
    ],
    ['a reserved opcode', frame({ opcode: 'reserved3' }), 'client -> endpoint reserved3      5'],
  ] as const) {
    it(`shows ${what}`, () => {
      assert.equal(write(record), `${TIME} a0-7   ${shown}\n`);
    });
  }

  it('is shortened on a narrow terminal, and never wider than it', () => {
    const text = '日'.repeat(100);
    assert.equal(write(frame({ text: 'hello' }), NARROW), `${TIME} a0-7   C->E text         5 hello\n`);
    assert.equal(
      write(frame({ from: 'proxy', to: 'client', opcode: 'ping' }), NARROW),
      `${TIME} a0-7   C<-P ping         5\n`,
    );
    const line = write(frame({ text }), NARROW).trimEnd();
    assert.equal(visible(line, 80, UNICODE), line);
    assert.match(line, /日…$/);
  });

  it('escapes control characters in everything that a peer chooses', () => {
    const hostile = '\u001b[2J\u202e\n';
    const records: TapRecord[] = [
      frame({ text: hostile, session: hostile }),
      frame({ opcode: hostile as 'text', from: hostile as 'client', withheld: hostile as 'joined' }),
      { ...SESSION, principal: hostile, request: { target: hostile, headers: [] }, subprotocol: hostile },
      {
        type: 'end',
        at: AT,
        session: 'a',
        reason: hostile,
        seconds: 1,
        bytesUpstream: 0,
        bytesDownstream: 0,
      },
      { type: 'lost', at: AT, worker: hostile, frames: 1, sessions: 0, lines: 0 },
    ];
    for (const record of records) {
      const text = write(record, { ...WIDE, hex: true });
      assert.match(text.replaceAll('…', ''), /^[ -~\n]+$/);
    }
    assert.equal(write(frame({ text: hostile })).split('\n').length, 2);
  });

  it('has a hex dump below it if requested', () => {
    const dump = write(frame({ text: 'hello, "world" 1' + 'ü' }), { ...NARROW, hex: true }).split('\n');
    assert.deepEqual(dump.slice(1), [
      '    0000  68 65 6c 6c 6f 2c 20 22  77 6f 72 6c 64 22 20 31  |hello, "world" 1|',
      '    0010  c3 bc                                             |..|',
      '',
    ]);
    assert.ok((dump[1] ?? '').length <= 80);
  });

  it('has the colour of its session, or none if colours are off', () => {
    const coloured = { ...WIDE, colours: true };
    const [first] = /\u001b\[\d+ma0-7/.exec(write(frame({}), coloured)) ?? [];
    assert.ok(first !== undefined);
    assert.ok(write(SESSION, coloured).includes(first));
    assert.doesNotMatch(write(frame({})), /\u001b/);
  });
});

describe('the text of a session', () => {
  it('names the client, the listener and the target', () => {
    assert.equal(
      write(SESSION),
      `${TIME} a0-7   session a0-7 opened, 192.0.2.7, jwt:alice, /chat?token=[cut], web/chat, app 10.0.0.11:9001\n`,
    );
  });

  it('contains the full id, which other lines shorten', () => {
    const session = '097672d415-12';
    assert.match(write({ ...SESSION, session }), / 0976-12 session 097672d415-12 opened, /);
    assert.match(write(frame({ session })), / 0976-12 client -> /);
  });

  it('states the address once if nothing else is known of the client', () => {
    assert.match(write({ ...SESSION, principal: 'address:192.0.2.7' }), /opened, 192\.0\.2\.7, \/chat/);
  });

  it('says since when the session has been open', () => {
    const { request: _, ...rest } = SESSION;
    const since = timeOf(AT - 60_000).slice(0, 8);
    assert.match(
      write({ ...rest, attached: true, openedAt: AT - 60_000 }),
      new RegExp(`session a0-7 open since ${since}, 192`),
    );
  });

  it('says how the session ended, and how much it carried', () => {
    const end = {
      type: 'end',
      at: AT,
      session: 'a0-7',
      side: 'client',
      code: 1000,
      reason: 'bye',
      seconds: 12.34,
      messagesUpstream: 5,
      messagesDownstream: 7,
      bytesUpstream: 120,
      bytesDownstream: 30_000,
    } as const;
    assert.equal(
      write(end),
      `${TIME} a0-7   closed by client with 1000 (bye) after 12.3 s: 5 up (120B), 7 down (29KiB)\n`,
    );
  });
});

describe('other text lines', () => {
  it('describe tunnels', () => {
    const bytes = { seconds: 500, bytesUpstream: 120, bytesDownstream: 30_000 };
    assert.equal(
      write({ type: 'end', at: AT, session: 'a0-t7', reason: 'closed', ...bytes }),
      `${TIME} a0-t7  ended (closed) after 500 s: 120B up, 29KiB down\n`,
    );
    const { route: _, principal: __, request: ___, ...place } = SESSION;
    assert.equal(
      write({ ...place, type: 'tunnel', serverName: 'db.example' }),
      `${TIME} a0-7   tunnel a0-7 opened, 192.0.2.7, db.example, web, app 10.0.0.11:9001\n`,
    );
    assert.equal(
      write({ type: 'bytes', at: AT, session: 'a0-7', from: 'endpoint', length: 1200 }),
      `${TIME} a0-7   client <- endpoint bytes     1200\n`,
    );
  });

  it('report lost records in capitals, with the reason', () => {
    assert.equal(
      write({ type: 'lost', at: AT, worker: 'l7-1', frames: 12, sessions: 3, lines: 0 }),
      `${TIME} LOST 12 frames, 3 sessions: l7-1 has no time for them\n`,
    );
    assert.match(
      write({ type: 'lost', at: AT, frames: 0, sessions: 0, lines: 9 }, { ...WIDE, colours: true }),
      /^\u001b\[1;31m.* LOST 9 lines: this command reads too slowly/,
    );
  });
});
