import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { WrittenRecording, type WrittenSession } from '../../../../support/recording/written-recording.ts';
import { OpeningGate } from '../../../../../bench/scenarios/replay/opening-gate.ts';
import { PlayerRig } from './fake-stage.ts';

function recordingOf(write: (session: WrittenSession) => unknown): WrittenRecording {
  const recording = new WrittenRecording();
  write(recording.session());
  return recording;
}

const CONVERSATION = recordingOf((session) =>
  session
    .client(100, 'a')
    .endpoint(150, 'A')
    .client(300, 'b')
    .endpoint(350, 'B')
    .close(400, 'client', 4000)
    .end(401),
);

describe('the player of a recorded client', () => {
  it('sends messages at their recorded times after the open, and closes with the recorded code', () => {
    const rig = new PlayerRig(CONVERSATION);
    rig.openAt(20);
    rig.replyAt(140, 'A');
    rig.replyAt(330, 'B');
    rig.clock.goTo(1000);
    assert.deepEqual(rig.notes, ['0 open w0-1', '120 text a', '320 text b', '420 close 4000']);
    rig.closeAt(1001);
    assert.deepEqual(rig.results.ends, [true]);
    assert.deepEqual(rig.results.latencies, [20, 10]);
    assert.deepEqual(rig.results.lateness, [0, 0]);
    assert.equal(rig.results.bytes, 2);
    assert.ok(rig.finished);
  });

  it('waits for its turn to open, and counts the wait as lateness, not as an error', () => {
    const gate = new OpeningGate(1);
    assert.ok(gate.enter({ admitted: () => assert.fail('admitted without a wait') }));
    const rig = new PlayerRig(CONVERSATION, { gate, timeoutMs: 1000 });
    rig.clock.goTo(5000);
    assert.deepEqual(rig.notes, []);
    gate.leave();
    rig.openAt(5020);
    rig.replyAt(5140, 'A');
    rig.replyAt(5330, 'B');
    rig.clock.goTo(6000);
    assert.deepEqual(rig.notes, ['5000 open w0-1', '5120 text a', '5320 text b', '5420 close 4000']);
    rig.closeAt(6001);
    assert.deepEqual(rig.results.delays, [5000]);
    assert.deepEqual(rig.results.lateness, [5000, 5000]);
    assert.deepEqual(rig.results.latencies, [20, 10]);
    assert.deepEqual(rig.results.ends, [true]);
    assert.deepEqual(rig.results.errors, []);
  });

  it('divides the times by the speed', () => {
    const rig = new PlayerRig(CONVERSATION, { speed: 4 });
    rig.openAt(20);
    rig.replyAt(46, 'A');
    rig.replyAt(96, 'B');
    rig.clock.goTo(1000);
    assert.deepEqual(rig.notes, ['0 open w0-1', '45 text a', '95 text b', '120 close 4000']);
  });

  for (const expect of ['same', 'count'] as const) {
    it(`delays a message until the replies recorded before it have arrived (${expect})`, () => {
      const rig = new PlayerRig(CONVERSATION, { expect });
      rig.openAt(0);
      rig.clock.goTo(700);
      assert.deepEqual(rig.notes, ['0 open w0-1', '100 text a']);
      rig.replyAt(700, 'A');
      rig.replyAt(900, 'B');
      assert.deepEqual(rig.notes, ['700 text b', '900 close 4000']);
      assert.deepEqual(rig.results.lateness, [0, 400]);
    });
  }

  it('does not wait for replies if it expects none', () => {
    const rig = new PlayerRig(CONVERSATION, { expect: 'none' });
    rig.openAt(0);
    rig.replyAt(310, 'what');
    rig.replyAt(320, 'ever');
    rig.replyAt(330, 'comes');
    rig.clock.goTo(1000);
    assert.deepEqual(rig.notes, ['0 open w0-1', '100 text a', '300 text b', '400 close 4000']);
    rig.closeAt(1000);
    assert.deepEqual(rig.results.ends, [true]);
  });

  it('fails once if a reply does not arrive within the timeout, counted from the start of the wait', () => {
    const rig = new PlayerRig(CONVERSATION);
    rig.openAt(0);
    rig.clock.goTo(1299);
    assert.deepEqual(rig.notes, ['0 open w0-1', '100 text a']);
    rig.clock.goTo(5000);
    assert.deepEqual(rig.notes, ['1300 fail: timeout: no reply']);
    rig.closeAt(5000);
    assert.deepEqual(rig.results.ends, [false]);
    assert.deepEqual(rig.results.differences, ['0 of 1 messages came in time']);
  });

  it('fails at the first reply that differs from the recording', () => {
    const rig = new PlayerRig(CONVERSATION, { expect: 'same' });
    rig.openAt(0);
    rig.replyAt(150, 'A');
    rig.replyAt(310, 'X');
    rig.replyAt(311, 'Y');
    assert.deepEqual(rig.notes.slice(-1), ['310 fail: reply: other than recorded']);
    assert.deepEqual(rig.results.differences, [
      'message 2: expected text "B" (1 bytes), came text "X" (1 bytes)',
    ]);
  });

  it('counts extra replies', () => {
    const rig = new PlayerRig(CONVERSATION);
    rig.openAt(0);
    for (const time of [1, 2, 3, 4]) rig.replyAt(time, 'A');
    rig.clock.goTo(1000);
    rig.closeAt(1000);
    assert.equal(rig.results.unsolicitedCount, 2);
    assert.deepEqual(rig.results.ends, [true]);
  });

  it('fails at an extra reply with --expect same, unless the recording ended before the session', () => {
    const rig = new PlayerRig(CONVERSATION, { expect: 'same' });
    rig.openAt(0);
    for (const [time, payload] of [
      [1, 'A'],
      [2, 'B'],
      [3, 'B'],
    ] as const) {
      rig.replyAt(time, payload);
    }
    assert.deepEqual(rig.notes.slice(-1), ['3 fail: reply: more than recorded']);
    const unended = new PlayerRig(
      recordingOf((session) => session.client(100, 'a').endpoint(150, 'A')),
      { expect: 'same' },
    );
    unended.openAt(0);
    for (const time of [120, 130]) unended.replyAt(time, 'A');
    unended.closeAt(200);
    assert.deepEqual(unended.results.ends, [true]);
  });

  it('accepts replies that arrive earlier than recorded', () => {
    const rig = new PlayerRig(CONVERSATION, { expect: 'same' });
    rig.openAt(0);
    rig.replyAt(1, 'A');
    rig.replyAt(2, 'B');
    rig.clock.goTo(1000);
    assert.deepEqual(rig.notes.slice(1), ['100 text a', '300 text b', '400 close 4000']);
  });

  it('takes the first reply recorded after a message as its answer', () => {
    const recording = recordingOf((session) =>
      session.endpoint(1, '0').client(10, 'a').client(20, 'b').endpoint(30, '1').client(40, 'c').end(50),
    );
    const rig = new PlayerRig(recording);
    rig.openAt(0);
    rig.replyAt(5, '0');
    rig.replyAt(37, '1');
    rig.clock.goTo(1000);
    assert.deepEqual(rig.results.latencies, [27, 17]);
    assert.deepEqual(rig.notes.slice(-1), ['50 abandon']);
  });

  it('sends pings, and sends nothing while the connection has backpressure', () => {
    const recording = recordingOf((session) =>
      session
        .frame(10, 'client', 'p', { opcode: 'ping' })
        .client(20, Buffer.from('b'))
        .client(30, 'c')
        .end(40, 'proxy'),
    );
    const rig = new PlayerRig(recording);
    rig.openAt(0);
    rig.clock.goTo(15);
    rig.session.choked = true;
    rig.clock.goTo(100);
    assert.deepEqual(rig.notes.slice(1), ['10 ping p']);
    rig.session.choked = false;
    rig.player.drained();
    assert.deepEqual(rig.notes, ['100 binary b', '100 text c', '100 close']);
    assert.deepEqual(rig.results.lateness, [80, 70]);
  });

  it('expects the server to close as recorded, with the same code under --expect same', () => {
    const recording = recordingOf((session) =>
      session.client(10, 'a').endpoint(20, 'A').close(30, 'endpoint', 4001).end(31),
    );
    const cases = [
      { expect: 'same', code: 4001, reply: true, good: true, errors: [] },
      { expect: 'same', code: 1006, reply: true, good: false, errors: ['close: other code than recorded'] },
      { expect: 'count', code: 4005, reply: true, good: true, errors: [] },
      { expect: 'count', code: 4001, reply: false, good: false, errors: ['reply: fewer than recorded'] },
      { expect: 'none', code: 1000, reply: false, good: true, errors: [] },
    ] as const;
    for (const { expect, code, reply, good, errors } of cases) {
      const rig = new PlayerRig(recording, { expect });
      rig.openAt(0);
      rig.clock.goTo(10);
      assert.equal(rig.session.mayClose, true);
      if (reply) rig.replyAt(15, 'A');
      rig.closeAt(16, code);
      assert.deepEqual([rig.results.ends, rig.results.errors], [[good], errors], `${expect} ${code}`);
    }
    const early = new PlayerRig(recording);
    early.openAt(0);
    assert.equal(early.session.mayClose, false);
    early.closeAt(5, 4001);
    assert.deepEqual(early.results.ends, [false]);
    const never = new PlayerRig(recording);
    never.openAt(0);
    never.replyAt(15, 'A');
    never.clock.goTo(2000);
    assert.deepEqual(never.notes.slice(-1), ['1030 fail: timeout: no close']);
  });

  it('plays one client after another, none before its recorded start', () => {
    const recording = new WrittenRecording();
    recording.session(0).client(10, 'a').end(100);
    recording.session(50).client(60, 'b').end(70);
    recording.session(1000).client(1010, 'c').end(1020);
    const rig = new PlayerRig(recording);
    for (const [opened, closed] of [
      [0, 200],
      [205, 300],
      [1000, 1100],
    ] as const) {
      rig.openAt(opened);
      rig.closeAt(closed);
    }
    assert.deepEqual(rig.notes, [
      '0 open w0-1',
      '10 text a',
      '100 abandon',
      '200 open w0-2',
      '215 text b',
      '225 abandon',
      '1000 open w0-3',
      '1010 text c',
      '1020 abandon',
    ]);
    assert.ok(rig.finished);
  });

  it('continues with the next client if one cannot be opened', () => {
    const recording = new WrittenRecording();
    recording.session(0).client(10, 'a').end(100);
    recording.session(0).client(10, 'b').end(100);
    const rig = new PlayerRig(recording);
    rig.closeAt(5);
    rig.openAt(10);
    rig.closeAt(200);
    assert.deepEqual(rig.results.ends, [false, true]);
  });

  it('plays any conversation to its end against a server that answers as recorded, and fails against one that does not', () => {
    const anyTurns = fc.array(
      fc.record({
        fromClient: fc.boolean(),
        binary: fc.boolean(),
        gap: fc.nat(500),
        text: fc.string({ maxLength: 20 }),
      }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(
        anyTurns,
        fc.constantFrom(0.5, 1, 10),
        fc.nat(800),
        fc.nat(),
        (turns, speed, delay, lie) => {
          const recording = new WrittenRecording();
          const session = recording.session();
          let at = 0;
          for (const { fromClient, binary, gap, text } of turns) {
            at += gap;
            const payload = binary ? Buffer.from(text) : text;
            if (fromClient) session.client(at, payload);
            else session.endpoint(at, payload);
          }
          session.close(at + 10, 'client', 1000).end(at + 20);
          const play = (liar: number): PlayerRig => {
            const rig = new PlayerRig(recording, { expect: 'same', speed });
            rig.openAt(0);
            // The server answers what has been asked, `delay` later.
            let [asked, come, time] = [0, 0, 0];
            for (const { fromClient, binary, text } of turns) {
              if (fromClient) {
                asked++;
                continue;
              }
              for (let tries = 0; sentBy(rig) < asked && tries < 100; tries++) rig.clock.goTo((time += 200));
              const said = come++ === liar ? `${text}?` : text;
              rig.replyAt((time = rig.clock.time + delay), binary ? Buffer.from(said) : said);
            }
            rig.clock.goTo(time + 100_000);
            rig.closeAt(time + 100_000);
            return rig;
          };
          const honest = play(-1);
          assert.deepEqual([honest.results.ends, honest.results.differences], [[true], []]);
          const replies = turns.filter(({ fromClient }) => !fromClient).length;
          if (replies > 0) assert.deepEqual(play(lie % replies).results.ends, [false]);
        },
      ),
      { numRuns: 200 },
    );
  });
});

/** Returns the number of messages that the player has sent. */
function sentBy({ results }: PlayerRig): number {
  return results.lateness.length;
}
