import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ClientCollector } from '../../../../bench/recorded/client-collector.ts';
import {
  CLIENT_CLOSE,
  CLIENT_DROP,
  EventLog,
  FINISH,
  REPLY_BINARY,
  REPLY_CLOSE,
  REPLY_TEXT,
  SEND_BINARY,
  SEND_PING,
  SEND_TEXT,
} from '../../../../bench/recorded/event-log.ts';
import type { Expectation } from '../../../../bench/options/plan.ts';
import type { RecordedClients } from '../../../../bench/recorded/recorded-clients.ts';
import { StartError, UsageError } from '../../../../src/core/errors.ts';
import { compileRedaction } from '../../../../src/wire/redaction/redaction.ts';
import { WrittenRecording } from '../../../support/recording/written-recording.ts';

const NAMES = new Map([
  [SEND_TEXT, 'text'],
  [SEND_BINARY, 'binary'],
  [SEND_PING, 'ping'],
  [CLIENT_CLOSE, 'close'],
  [CLIENT_DROP, 'drop'],
  [FINISH, 'finish'],
  [REPLY_TEXT, 'reply text'],
  [REPLY_BINARY, 'reply binary'],
  [REPLY_CLOSE, 'reply close'],
]);

function collect(
  { records }: WrittenRecording,
  expect: Expectation = 'same',
  rules: readonly string[] = [],
): RecordedClients {
  const collector = new ClientCollector(expect, compileRedaction(rules));
  for (const record of records) collector.add(record);
  return collector.finish();
}

/** Formats a client's events, one string each. */
function eventsOf({ clients, events }: RecordedClients, client = 0): string[] {
  const log = new EventLog(events);
  const texts: string[] = [];
  for (let event = clients[client]!.firstEvent; event >= 0; event = log.next(event)) {
    const payload = log.payload(event);
    const shown = payload === null ? `(${log.size(event)})` : payload.toString();
    texts.push(`${log.time(event)} ${NAMES.get(log.kind(event))!} ${shown}`);
  }
  return texts;
}

describe('the clients of a recording', () => {
  it('have their events in order, timed from their own start, however sessions interleave', () => {
    const recording = new WrittenRecording();
    const first = recording.session(100).client(110, 'a');
    const second = recording
      .session(50, { request: { target: '/b', headers: [] } })
      .client(120, Buffer.from('b'));
    first.endpoint(121, 'A');
    second.endpoint(122, Buffer.from('B')).close(125, 'client', 1001).close(126, 'endpoint', 1001).end(127);
    first.frame(130, 'client', 'p', { opcode: 'ping' }).frame(131, 'endpoint', 'p', { opcode: 'pong' });
    first.close(140, 'endpoint', 1012).close(141, 'client', 1012).end(142, 'endpoint', 1012);
    const recorded = collect(recording);
    assert.deepEqual(
      recorded.clients.map(({ startMs, replies, handshake }) => [startMs, replies, handshake.path]),
      [
        [0, 1, '/b'],
        [50, 1, '/'],
      ],
    );
    assert.deepEqual(eventsOf(recorded, 0), ['70 binary b', '72 reply binary B', '75 close (1001)']);
    assert.deepEqual(eventsOf(recorded, 1), [
      '10 text a',
      '21 reply text A',
      '30 ping p',
      '40 reply close (1012)',
    ]);
    assert.equal(recorded.facts.messages, 2);
    assert.equal(recorded.facts.replies, 2);
    assert.equal(recorded.facts.durationMs, 90);
    assert.equal(recorded.facts.unended, 0);
  });

  it('end when they drop, when the proxy closes, or when the recording ends', () => {
    const recording = new WrittenRecording();
    recording.session(0).client(1, 'a').end(9, 'client', 1006);
    recording
      .session(1)
      .client(2, 'a')
      .frame(8, 'proxy', '', { opcode: 'close', code: 1001 })
      .end(9, 'proxy', 1001);
    recording.session(2).client(3, 'a');
    const recorded = collect(recording);
    assert.equal(eventsOf(recorded, 0)[1], '9 drop (0)');
    assert.equal(eventsOf(recorded, 1)[1], '8 finish (0)');
    assert.equal(eventsOf(recorded, 2)[1], '1 finish (0)');
    assert.deepEqual(
      recorded.clients.map(({ isUnended }) => isUnended),
      [false, false, true],
    );
    assert.equal(recorded.facts.unended, 1);
  });

  it('keep replies that followed their close, because these may precede it in a replay', () => {
    const recording = new WrittenRecording();
    recording.session().close(5, 'client', 1000).endpoint(6, 'late').close(7, 'endpoint', 1000).end(8);
    const recorded = collect(recording);
    assert.deepEqual(eventsOf(recorded), ['5 close (1000)', '6 reply text late']);
    assert.equal(recorded.clients[0]!.replies, 1);
  });

  it('join fragments into messages, and keep only the sizes of compressed ones', () => {
    const recording = new WrittenRecording();
    const part = { fin: false, text: undefined } as object;
    recording
      .session()
      .client(1, 'ab', part)
      .client(2, 'c', { opcode: 'continuation', length: 1, text: 'abc' })
      .client(3, 'x'.repeat(9), { ...part, compressed: true })
      .client(4, 'y', {
        opcode: 'continuation',
        text: undefined,
        withheld: 'compressed',
        size: 500,
      } as object)
      .client(5, 'z'.repeat(7), { compressed: true, withheld: 'compressed', text: undefined } as object);
    const recorded = collect(recording, 'count');
    assert.deepEqual(eventsOf(recorded).slice(0, -1), ['2 text abc', '4 text (500)', '5 text (7)']);
    assert.equal(recorded.facts.withoutPayload, 2);
  });

  it('omit and count what cannot be played', () => {
    const recording = new WrittenRecording({ redact: ['$..sid', '/x/'] });
    recording
      .session(0, { attached: true, request: undefined } as object)
      .client(1, 'a')
      .end(2);
    recording
      .session(3)
      .client(4, 'c', { opcode: 'continuation' })
      .client(5, '"[redacted]"', { redacted: true });
    recording.records.push(
      { type: 'lost', at: 0, frames: 3, sessions: 2, lines: 1 },
      { ...(recording.records[1] as object), type: 'tunnel' } as never,
      { type: 'bytes', at: 0, session: 't', from: 'client', length: 10 },
      { type: 'done', at: 0, reason: 'tap_off' },
    );
    const { facts, redact, clients } = collect(recording);
    assert.equal(clients.length, 1);
    assert.deepEqual(redact, ['$..sid', '/x/']);
    const { attached, tunnels, lost, redacted, messages } = facts;
    assert.deepEqual(
      { attached, tunnels, lost, redacted, messages },
      {
        attached: 1,
        tunnels: 1,
        lost: 6,
        redacted: 1,
        messages: 1,
      },
    );
  });

  it('need whole payloads from both sides if replies are compared', () => {
    for (const from of ['client', 'endpoint'] as const) {
      for (const lack of [{ text: undefined }, { cut: true }, { withheld: 'joined' }]) {
        const recording = new WrittenRecording();
        recording.session().frame(1, from, 'abc', lack as object);
        assert.throws(
          () => collect(recording),
          (error) =>
            error instanceof UsageError && /w0-1 has none: record with .* --payload/.test(error.message),
        );
        assert.equal(collect(recording, 'count').facts.withoutPayload, from === 'client' ? 1 : 0);
      }
    }
  });

  it('keep reply payloads only for comparison, and accept empty messages without a payload', () => {
    const recording = new WrittenRecording();
    recording
      .session()
      .endpoint(1, 'abc')
      .client(2, '', { text: undefined } as object);
    assert.deepEqual(eventsOf(collect(recording, 'count')), ['1 reply text (3)', '2 text ', '2 finish (0)']);
    assert.deepEqual(eventsOf(collect(recording, 'same')), ['1 reply text abc', '2 text ', '2 finish (0)']);
  });

  it('have their replies redacted by the rules from the command line', () => {
    const recording = new WrittenRecording();
    recording.session().client(1, '{"id":1}').endpoint(2, '{"id":22,"a":3}');
    assert.deepEqual(eventsOf(collect(recording, 'same', ['$.id'])), [
      '1 text {"id":1}',
      '2 reply text {"id":"[redacted]","a":3}',
      '2 finish (0)',
    ]);
  });

  it('start at the end of the previous recording, whenever each recording was made', () => {
    const [first, second] = [
      new WrittenRecording({ redact: ['$.a'] }),
      new WrittenRecording({ redact: ['$.b'] }),
    ];
    first.session(0).client(100, 'a');
    first.session(50).client(60, 'b').end(70);
    second.session(2_000_000_000).client(2_000_000_010, 'c').end(2_000_000_030);
    second.session(1_999_999_990).end(2_000_000_000);
    first.records.push(...second.records);
    const { clients, facts, redact } = collect(first);
    assert.deepEqual(
      clients.map(({ startMs, isUnended }) => [startMs, isUnended]),
      [
        [0, true],
        [50, false],
        [100, false],
        [110, false],
      ],
    );
    assert.equal(facts.durationMs, 140);
    assert.deepEqual(redact, ['$.a', '$.b']);
  });

  it('start when the tap saw them start, because opening times may be rounded', () => {
    const recording = new WrittenRecording();
    const { at } = recording.records[0]!;
    for (const begin of [120, 740]) recording.session(begin, { openedAt: at }).end(begin + 10);
    assert.deepEqual(
      collect(recording).clients.map(({ startMs }) => startMs),
      [0, 620],
    );
  });

  it('are refused if their times are more than a year apart', () => {
    for (const at of [1e308, 40_000_000_000]) {
      const late = new WrittenRecording();
      late.session().client(at, 'a');
      const apart = new WrittenRecording();
      apart.session();
      apart.session(at);
      for (const recording of [late, apart])
        assert.throws(() => collect(recording), /more than a year behind/);
    }
  });

  it('are refused if a message is too large to send', () => {
    const recording = new WrittenRecording();
    recording.session().client(1, 'a', { text: undefined, length: 2 ** 30 } as object);
    assert.throws(() => collect(recording, 'count'), StartError);
  });

  it('keep the order of their events if the clock went back', () => {
    const recording = new WrittenRecording();
    recording.session().client(10, 'a').client(5, 'b').end(1);
    assert.deepEqual(eventsOf(collect(recording)), ['10 text a', '10 text b', '10 drop (0)']);
  });
});
