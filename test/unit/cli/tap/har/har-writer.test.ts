import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Entry, Har } from 'har-format';
import { writeHar, type HarResult } from '../../../../../src/cli/tap/har/har-writer.ts';
import type { FrameRecord, TapRecord } from '../../../../../src/wire/recording/records.ts';
import { scratchDirectory } from '../../../config/load.ts';

const START = Date.UTC(2030, 0, 1, 12);
const HEADER: TapRecord = {
  type: 'tap',
  version: 1,
  at: START,
  sluice: '0.1.0',
  filter: {},
  sample: 1,
  payload: true,
  maxPayload: 4096,
  redact: [],
};
const PLACE = {
  at: START,
  openedAt: START,
  listener: 'web',
  cluster: 'app',
  endpoint: '[2001:db8::1]:9001',
  client: '192.0.2.7',
  route: 'chat',
  principal: 'jwt:alice',
};
const HEADERS = [
  ['host', 'chat.example'],
  ['origin', 'https://chat.example'],
  ['cookie', '[cut]'],
] as const;

function opened(session: string): TapRecord {
  const request = { target: '/room?id=7&token=[cut]', headers: HEADERS };
  return {
    type: 'session',
    session,
    ...PLACE,
    request,
    subprotocol: 'chat.v2',
    extensions: 'permessage-deflate',
  };
}

function frame(session: string, seconds: number, fields: Partial<FrameRecord>): TapRecord {
  const at = START + seconds * 1000;
  return { type: 'frame', at, session, from: 'client', opcode: 'text', length: 5, ...fields };
}

function ended(session: string): TapRecord {
  const bytes = { bytesUpstream: 10, bytesDownstream: 20 };
  return { type: 'end', at: START + 2500, session, side: 'client', code: 1000, seconds: 2.5, ...bytes };
}

describe('a HAR file of a recording', () => {
  const directory = scratchDirectory();
  let files = 0;

  async function write(...records: TapRecord[]): Promise<{ har: Har; result: HarResult; file: string }> {
    const recording = join(directory, `${files++}.jsonl`);
    const file = `${recording}.har`;
    writeFileSync(recording, [HEADER, ...records].map((record) => `${JSON.stringify(record)}\n`).join(''));
    const result = await writeHar(recording, file, new AbortController().signal);
    const har = JSON.parse(readFileSync(file, 'utf8')) as Har;
    for (const entry of har.log.entries) isImported(entry);
    return { har, result, file };
  }

  /** Checks the fields that the importer of Chrome's network panel requires (devtools-frontend, models/har). */
  function isImported(entry: Entry): void {
    assert.ok(!Number.isNaN(new Date(entry.startedDateTime).getTime()));
    const { request, response, timings } = entry;
    for (const time of [entry.time, timings.wait, timings.receive]) assert.ok(time >= 0);
    for (const value of [request.headersSize, request.bodySize, response.headersSize, response.bodySize]) {
      assert.equal(typeof value, 'number');
    }
    assert.equal(response.status, 101);
    assert.ok(URL.canParse(request.url), request.url);
    assert.equal(entry._resourceType, 'websocket');
    for (const message of entry._webSocketMessages ?? []) {
      assert.ok(['send', 'receive'].includes(message.type));
      assert.ok(message.time > 1e9 && message.time < 1e10, 'seconds since 1970');
      assert.equal(typeof message.data, 'string');
      assert.ok([1, 2].includes(message.opcode));
    }
  }

  it('has one entry for each session, which contains all messages of the session', async () => {
    const { har, file } = await write(
      opened('a-1'),
      opened('a-2'),
      frame('a-1', 1, { text: 'one' }),
      frame('a-2', 1, { text: 'other' }),
      frame('a-1', 2, { from: 'endpoint', opcode: 'binary', base64: 'AAH/' }),
      ended('a-1'),
    );
    assert.equal(har.log.version, '1.2');
    assert.equal(har.log.entries.length, 2);
    const [first, second] = har.log.entries;
    assert.deepEqual(first?._webSocketMessages, [
      { type: 'send', time: START / 1000 + 1, opcode: 1, data: 'one' },
      { type: 'receive', time: START / 1000 + 2, opcode: 2, data: 'AAH/' },
    ]);
    assert.equal(first.startedDateTime, '2030-01-01T12:00:00.000Z');
    assert.deepEqual([first.time, first.timings.receive], [2500, 2500]);
    assert.equal(first.request.url, 'wss://chat.example/room?id=7&token=[cut]');
    assert.deepEqual(first.request.queryString, [
      { name: 'id', value: '7' },
      { name: 'token', value: '[cut]' },
    ]);
    assert.deepEqual([first.serverIPAddress, first.connection], ['2001:db8::1', '9001']);
    assert.match(
      first.comment ?? '',
      /^client 192\.0\.2\.7, jwt:alice, web\/chat, app, closed by client with 1000$/,
    );
    assert.deepEqual(
      first.response.headers.map((header) => header.value),
      ['websocket', 'Upgrade', 'chat.v2', 'permessage-deflate'],
    );
    assert.equal(second?._webSocketMessages?.length, 1);
    assert.match(second.comment ?? '', /open at the end of the recording$/);
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it('joins fragments into one message with the opcode of the first fragment', async () => {
    const { har } = await write(
      opened('a-1'),
      frame('a-1', 1, { opcode: 'binary', fin: false }),
      frame('a-1', 1, { from: 'endpoint', opcode: 'text', text: 'between' }),
      frame('a-1', 1, { opcode: 'ping', length: 0 }),
      frame('a-1', 2, { opcode: 'continuation', length: 2, text: 'binary!' }),
    );
    assert.deepEqual(
      har.log.entries[0]?._webSocketMessages?.map(({ type, opcode, data }) => [type, opcode, data]),
      [
        ['receive', 1, 'between'],
        ['send', 2, Buffer.from('binary!').toString('base64')],
      ],
    );
  });

  it('states the length of messages whose payload is missing or truncated', async () => {
    const { har, result } = await write(
      opened('a-1'),
      frame('a-1', 1, { text: 'beg', cut: true, length: 900 }),
      frame('a-1', 1, { withheld: 'compressed', compressed: true, length: 40 }),
      frame('a-1', 1, { opcode: 'text', fin: false, length: 10 }),
      frame('a-1', 1, { opcode: 'continuation', length: 20 }),
    );
    const messages = har.log.entries[0]?._webSocketMessages as unknown as { data: string; _length: number }[];
    assert.deepEqual(
      messages.map(({ data, _length }) => [data, _length]),
      [
        ['beg', 900],
        ['', 40],
        ['', 30],
      ],
    );
    assert.equal(result.incomplete, 3);
  });

  it('contains no control frames, no frames from the proxy and no tunnels', async () => {
    const { route: _, principal: __, ...tunnel } = PLACE;
    const { har, result } = await write(
      { type: 'tunnel', session: 't-1', ...tunnel },
      { type: 'bytes', at: START, session: 't-1', from: 'client', length: 5 },
      { type: 'end', at: START, session: 't-1', seconds: 1, bytesUpstream: 5, bytesDownstream: 0 },
      opened('a-1'),
      frame('a-1', 1, { opcode: 'close', code: 1000 }),
      frame('a-1', 1, { from: 'proxy', to: 'client', opcode: 'ping' }),
      { type: 'done', at: START, reason: 'shutdown' },
    );
    assert.equal(result.tunnels, 1);
    assert.deepEqual(
      har.log.entries.map(({ _webSocketMessages: messages }) => messages),
      [[]],
    );
  });

  it('contains sessions whose handshake was not recorded', async () => {
    const attached: TapRecord = { type: 'session', session: 'a-1', attached: true, ...PLACE };
    const { har } = await write(attached, frame('a-1', 1, { text: 'x' }), frame('a-2', 1, { text: 'y' }));
    assert.deepEqual(
      har.log.entries.map(({ request }) => request.url),
      ['ws://handshake-not-recorded.invalid/a-1', 'ws://handshake-not-recorded.invalid/a-2'],
    );
    assert.match(har.log.entries[0]?.comment ?? '', /open before the recording/);
  });

  it('is valid without sessions, and states what the recording lost', async () => {
    const { har } = await write({ type: 'lost', at: START, frames: 3, sessions: 0, lines: 0 });
    assert.deepEqual(har.log.entries, []);
    assert.equal(har.log.comment, '0 sessions, 0 frames, LOST 3 frames');
  });
});
