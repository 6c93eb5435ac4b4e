import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findPredecessor } from '../../../../src/primary/process/takeover.ts';
import { capture, config } from '../fixtures/config.ts';

type Ask = NonNullable<Parameters<typeof findPredecessor>[2]>;
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

describe('a takeover', () => {
  it('asks first whether the other process would, and takes over later', async () => {
    const { log, lines } = capture();
    const { ask, paths } = answering(YES, {
      status: 202,
      body: '{"status":202,"message":"the process hands over and ends","pid":7}',
    });
    const predecessor = await findPredecessor(config.admin, log, ask);
    assert.deepEqual(paths, ['POST /handover?check']);
    await predecessor!.handOver();
    assert.deepEqual(paths, ['POST /handover?check', 'POST /handover']);
    const [{ msg, pid, answer }] = lines as unknown as [Record<string, unknown>];
    assert.deepEqual(
      { msg, pid, answer },
      { msg: 'taken over', pid: 7, answer: 'the process hands over and ends' },
    );
  });

  it('has no predecessor if nobody listens at the admin address', async () => {
    const { log, lines } = capture();
    const { ask } = answering(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
    assert.equal(await findPredecessor(config.admin, log, ask), null);
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      ['there is nobody to take over from'],
    );
  });

  it('is ended by a predecessor that is silent or refuses, before anything is started', async () => {
    const { log } = capture();
    await assert.rejects(
      findPredecessor(config.admin, log, answering(new Error('timed out')).ask),
      /^StartError: the process at 127\.0\.0\.1:0 does not answer: timed out$/,
    );
    const { ask } = answering({ status: 403, body: 'no token\nat all' });
    await assert.rejects(
      findPredecessor(config.admin, log, ask),
      /^StartError: the process at 127\.0\.0\.1:0 does not hand over \(403\): no token$/,
    );
  });

  it('ends the start if the predecessor changes its mind, but not if it has gone meanwhile', async () => {
    const { log } = capture();
    const refusing = answering(YES, { status: 409, body: 'it drains' });
    const first = await findPredecessor(config.admin, log, refusing.ask);
    await assert.rejects(first!.handOver(), /does not hand over \(409\): it drains/);
    const gone = answering(YES, Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
    const second = await findPredecessor(config.admin, log, gone.ask);
    await second!.handOver();
  });
});
