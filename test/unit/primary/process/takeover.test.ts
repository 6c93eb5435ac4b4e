import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findPredecessor } from '../../../../src/primary/process/takeover.ts';
import { formatTicketKeys } from '../../../../src/primary/tickets/handover-keys.ts';
import { capture, config, l7Listener, listenerTls } from '../fixtures/config.ts';

type Ask = NonNullable<NonNullable<Parameters<typeof findPredecessor>[2]>['ask']>;
type Receiver = NonNullable<
  Awaited<ReturnType<NonNullable<NonNullable<Parameters<typeof findPredecessor>[2]>['openReceiver']>>>
>;
type Answer = Awaited<ReturnType<Ask>>;

/** An admin server that gives these answers, one after the other, to the paths that it notes. */
function answering(...answers: (Pick<Answer, 'status' | 'body'> | Error)[]): { ask: Ask; paths: string[] } {
  const paths: string[] = [];
  const ask: Ask = (_admin, method, path) => {
    paths.push(`${method} ${path}`);
    const answer = answers.shift()!;
    if (answer instanceof Error) return Promise.reject(answer);
    return Promise.resolve({ mediaType: 'application/json', ...answer });
  };
  return { ask, paths };
}

const YES = { status: 200, body: '{"status":200,"message":"the process would hand over","pid":7}' };

const SECURE = { ...config, listeners: [{ ...l7Listener, engine: 'raw', tls: listenerTls() }] } as const;

/** A channel that brings this text, and tells in `paths` that it has been closed. */
function channel(text: string | Error, paths: string[] = []): () => Promise<Receiver> {
  return () =>
    Promise.resolve({
      name: 'channel',
      receive: () => (text instanceof Error ? Promise.reject(text) : Promise.resolve(text)),
      close: () => void paths.push('closed'),
    });
}

function consent(tickets?: string | null): { status: number; body: string } {
  const message = 'the process would hand over';
  return { status: 200, body: JSON.stringify({ status: 200, message, pid: 7, tickets }) };
}

describe('a takeover', () => {
  it('first asks whether the other process would hand over, and takes over later', async () => {
    const { log, lines } = capture();
    const { ask, paths } = answering(YES, {
      status: 202,
      body: '{"status":202,"message":"the process hands over and ends","pid":7}',
    });
    const predecessor = await findPredecessor(config, log, { ask });
    assert.deepEqual(paths, ['POST /handover?check']);
    await predecessor!.handOver();
    assert.deepEqual(paths, ['POST /handover?check', `POST /handover?pid=${process.pid}`]);
    const [{ msg, pid, answer }] = lines as unknown as [Record<string, unknown>];
    assert.deepEqual(
      { msg, pid, answer },
      { msg: 'taken over', pid: 7, answer: 'the process hands over and ends' },
    );
  });

  it('has no predecessor if nobody listens at the admin address', async () => {
    const { log, lines } = capture();
    const { ask } = answering(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
    assert.equal(await findPredecessor(config, log, { ask }), null);
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      ['no process to take over from'],
    );
  });

  it('stops the start if the predecessor is silent or refuses', async () => {
    const { log } = capture();
    await assert.rejects(
      findPredecessor(config, log, answering(new Error('timed out'))),
      /^StartError: the process at 127\.0\.0\.1:0 does not answer: timed out$/,
    );
    const { ask } = answering({ status: 403, body: 'no token\nat all' });
    await assert.rejects(
      findPredecessor(config, log, { ask }),
      /^StartError: the process at 127\.0\.0\.1:0 does not hand over \(403\): no token\. First set admin\.token and reload/,
    );
    await assert.rejects(
      findPredecessor(config, log, answering({ status: 401, body: 'other token' })),
      /\(401\): other token\. Both processes need the same token: reload the running one by SIGHUP/,
    );
  });

  it('stops the start if the predecessor refuses later, but not if it has ended', async () => {
    const { log } = capture();
    const refusing = answering(YES, { status: 409, body: 'it drains' });
    const first = await findPredecessor(config, log, refusing);
    await assert.rejects(first!.handOver(), /does not hand over \(409\): it drains/);
    const gone = answering(YES, Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
    const second = await findPredecessor(config, log, gone);
    await second!.handOver();
  });

  it('receives the ticket keys of the other process, if its listeners rotate theirs', async () => {
    const { log, lines } = capture();
    const { ask, paths } = answering(consent(null));
    const keys = new Map([['web', { keys: [Buffer.alloc(80, 1)], ageMs: 5 }]]);
    const openReceiver = channel(formatTicketKeys(keys), paths);
    const predecessor = await findPredecessor(SECURE, log, { ask, openReceiver });
    assert.deepEqual(predecessor!.ticketKeys, keys);
    assert.deepEqual(paths, ['POST /handover?check&tickets=channel', 'closed']);
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      ['ticket keys taken over'],
    );
    assert.ok(!JSON.stringify(lines).includes(Buffer.alloc(75, 1).toString('base64')));
  });

  it('continues without ticket keys, and logs why', async () => {
    const unsent: [string, ReturnType<typeof consent>, string | Error | null][] = [
      ['the version of the other process sends no keys', consent(), ''],
      ['another user', consent('another user'), ''],
      ['the keys did not arrive in time', consent(null), new Error('the keys did not arrive in time')],
      ['the other process sent no list of keys', consent(null), '[{"listener":'],
      ['the system has no abstract sockets', consent(null), null],
    ];
    for (const [reason, answer, text] of unsent) {
      const { log, lines } = capture();
      const { ask } = answering(answer);
      const openReceiver = text === null ? () => Promise.resolve(null) : channel(text);
      const predecessor = await findPredecessor(SECURE, log, { ask, openReceiver });
      assert.equal(predecessor!.ticketKeys.size, 0);
      assert.deepEqual(
        (lines as unknown as Record<string, unknown>[]).map((line) => [line.level, line.reason]),
        [['warn', reason]],
      );
    }
  });

  it('closes the key channel without a predecessor, or after its refusal', async () => {
    const { log } = capture();
    for (const answer of [Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }), new Error('no')]) {
      const { ask, paths } = answering(answer);
      await findPredecessor(SECURE, log, { ask, openReceiver: channel('', paths) }).catch(() => null);
      assert.equal(paths.at(-1), 'closed');
    }
  });
});
