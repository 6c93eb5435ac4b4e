import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TimerWheel } from '../../../../../src/core/timing/timer-wheel.ts';
import type { HttpReply } from '../../../../../src/l7/contract/http-reply.ts';
import type { UpstreamSocket } from '../../../../../src/l7/contract/upstream-socket.ts';
import { EndpointRefusal } from '../../../../../src/l7/websocket/handshakes/endpoint-refusal.ts';

const KIB = 1024;
const COLLECT_MS = 5000;
const IDLE_MS = 2000;

interface Rig {
  readonly refusal: EndpointRefusal;
  /** Events of the client, the endpoint's connection and the owner of the handshake. */
  readonly log: string[];
  readonly push: (text: string) => void;
  /** Makes the client take what waits. */
  readonly take: () => void;
  readonly pass: (ms: number) => void;
}

/** A refusal that has begun. */
function refused({
  headers = [],
  rest = '',
  isSlow = false,
  keeps = false,
}: {
  headers?: readonly string[];
  rest?: string;
  isSlow?: boolean;
  /** Whether the owner wants the connection. */
  keeps?: boolean;
}): Rig {
  const log: string[] = [];
  const wheel = new TimerWheel(0);
  let now = 0;
  let waiting: (() => void) | null = null;
  const upstream = {
    owner: null,
    pause: () => log.push('paused'),
    resume: () => log.push('resumed'),
    destroy: () => log.push('closed'),
  } as unknown as UpstreamSocket;
  const reply = {
    pages: null,
    send: (status: number, _headers: unknown, body: Uint8Array) => log.push(`${status} with ${body.length}`),
    sendHead: (status: number) => log.push(`${status} head`),
    begin: (status: number, _headers: unknown, length: number | null) =>
      log.push(`${status} begins, length ${length}`),
    write: (chunk: Uint8Array) => {
      log.push(`wrote ${chunk.length}`);
      return !isSlow;
    },
    whenWritable: (callback: () => void) => (waiting = callback),
    end: (chunk: Uint8Array | null) => log.push(`ended with ${chunk?.length ?? 0}`),
    cut: () => log.push('cut'),
  } as unknown as HttpReply;
  const refusal = new EndpointRefusal(
    upstream,
    { status: 401, headers },
    [],
    {
      reply,
      wheel,
      collectMs: COLLECT_MS,
      idleTimeoutMs: IDLE_MS,
      log: { debug: () => undefined } as never,
      requestId: 'r',
    },
    {
      refusalKeeps: () => keeps && log.push('kept') > 0,
      refusalEnded: () => log.push('endpoint released'),
      refusalAnswered: () => log.push('answered'),
      refusalOver: () => log.push('over'),
      clientsTouched: () => undefined,
    },
  );
  refusal.start(Buffer.from(rest));
  return {
    refusal,
    log,
    push: (text) => refusal.channelData(Buffer.from(text), 0, text.length),
    take: () => {
      const callback = waiting;
      waiting = null;
      callback?.();
    },
    pass: (ms) => {
      for (const end = now + ms; now < end;) wheel.advance((now = Math.min(end, now + 100)));
    },
  };
}

const WHOLE = (bytes: number): string[] => [
  'closed',
  'endpoint released',
  `401 with ${bytes}`,
  'answered',
  'over',
];

describe('a refusal of an endpoint', () => {
  it('is forwarded when its body is complete', () => {
    assert.deepEqual(refused({ headers: ['content-length', '0'] }).log, WHOLE(0));
    const { log, push } = refused({ headers: ['content-length', '4'], rest: 'ab' });
    assert.deepEqual(log, []);
    push('cd');
    assert.deepEqual(log, WHOLE(4));
  });

  it('is forwarded once, with a partial body if the endpoint closes, fails or is malformed', () => {
    for (const end of [
      ({ refusal }: Rig) => refusal.channelEnded(),
      ({ refusal }: Rig) => refusal.channelClosed(null),
      ({ refusal }: Rig) => refusal.channelClosed(new Error('read ECONNRESET')),
      ({ push }: Rig) => push('zz\r\n'),
      ({ pass }: Rig) => pass(COLLECT_MS),
    ]) {
      const rig = refused({ headers: ['transfer-encoding', 'chunked'], rest: '4\r\nbody\r\n' });
      end(rig);
      assert.deepEqual(rig.log, WHOLE(4));
      rig.push('0\r\n\r\n');
      rig.refusal.channelClosed(null);
      rig.pass(2 * COLLECT_MS);
      assert.deepEqual(rig.log, WHOLE(4));
    }
  });

  it('passes its connection on only if it can carry another request', () => {
    const isKept = (rest: string, ...headers: string[]): boolean => {
      const rig = refused({ headers, rest, keeps: true });
      rig.refusal.channelEnded();
      const kept = rig.log.includes('kept');
      assert.equal(rig.log.includes('closed'), !kept);
      return kept;
    };
    assert.ok(isKept('body', 'content-length', '4'));
    assert.ok(isKept('4\r\nbody\r\n0\r\n\r\n', 'transfer-encoding', 'chunked'));
    assert.ok(isKept('x'.repeat(100 * KIB), 'content-length', `${100 * KIB}`));
    assert.ok(!isKept('body', 'content-length', '4', 'connection', 'close'));
    assert.ok(!isKept('body and more', 'content-length', '4'));
    assert.ok(!isKept('bod', 'content-length', '4'));
    assert.ok(!isKept('body'));
    assert.ok(!isKept('zz\r\n', 'transfer-encoding', 'chunked'));
    assert.ok(!isKept('body', 'content-length', '4', 'content-length', '5'));
  });

  it('waits for its body no longer than the handshake timeout, however slowly it arrives', () => {
    const { log, push, pass } = refused({});
    for (let second = 1; second < COLLECT_MS / 1000; second++) {
      push('x');
      pass(1000);
    }
    assert.deepEqual(log, []);
    pass(1000);
    assert.deepEqual(log, WHOLE(4));
  });

  it('has no body if its framing is ambiguous', () => {
    const headers = ['content-length', '1', 'transfer-encoding', 'chunked'];
    assert.deepEqual(refused({ headers, rest: '1\r\nx\r\n0\r\n\r\n' }).log, WHOLE(0));
  });

  it('is collected up to 64 KiB, and streamed above that', () => {
    const { log, push } = refused({ rest: 'x'.repeat(64 * KIB) });
    assert.deepEqual(log, []);
    push('y');
    assert.deepEqual(log, ['401 begins, length null', 'wrote 65536', 'wrote 1', 'answered']);
    push('zz');
    assert.deepEqual(log.splice(0).slice(4), ['wrote 2']);
  });

  it('ends with the last part of a long body', () => {
    const { log, push, refusal } = refused({ rest: 'x'.repeat(65 * KIB) });
    assert.deepEqual(log.splice(0), ['401 begins, length null', 'wrote 66560', 'answered']);
    push('z');
    refusal.channelEnded();
    assert.deepEqual(log, ['wrote 1', 'closed', 'endpoint released', 'ended with 0', 'over']);
  });

  it('pauses the endpoint of a long body while the client is slow', () => {
    const { log, take } = refused({ rest: 'x'.repeat(65 * KIB), isSlow: true });
    assert.deepEqual(log.splice(0).slice(1), ['wrote 66560', 'paused', 'answered']);
    take();
    assert.deepEqual(log, ['resumed']);
  });

  it('is cut if a long body breaks or stalls, but not while it progresses', () => {
    for (const end of [
      ({ refusal }: Rig) => refusal.channelEnded(),
      ({ refusal }: Rig) => refusal.channelClosed(new Error('read ECONNRESET')),
      ({ pass }: Rig) => pass(IDLE_MS + 100),
    ]) {
      const rig = refused({ headers: ['content-length', '1000000'], rest: 'x'.repeat(65 * KIB) });
      for (let times = 0; times < 4; times++) {
        rig.pass(IDLE_MS - 200);
        rig.push('y');
      }
      rig.log.splice(0);
      end(rig);
      assert.deepEqual(rig.log, ['closed', 'endpoint released', 'cut', 'over']);
    }
  });

  it("closes the endpoint's connection silently when the client has disconnected", () => {
    for (const [rest, outcome] of [
      ['x', []],
      ['x'.repeat(65 * KIB), ['over']],
    ] as const) {
      const { log, refusal, pass, push } = refused({ rest });
      log.splice(0);
      refusal.drop();
      push('y');
      pass(2 * COLLECT_MS);
      refusal.drop();
      assert.deepEqual(log, ['closed', 'endpoint released', ...outcome]);
    }
  });
});
