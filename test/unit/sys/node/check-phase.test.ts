import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { runImmediatesFirst } from '../../../../src/sys/node/check-phase.ts';
import { unsupportedReason } from '../../../../src/sys/support.ts';
import { within } from '../../../support/deadline.ts';

describe('the order of the check phase', { skip: unsupportedReason() ?? false }, () => {
  it('can be changed repeatedly, and immediates still run', async () => {
    for (let round = 0; round < 3; round++) {
      assert.equal(runImmediatesFirst(), true);
      await within('an immediate', new Promise((settle) => setImmediate(settle)));
    }
  });

  it('can be changed from within an immediate', async () => {
    const done = new Promise<boolean>((settle) => {
      setImmediate(() => {
        const isFirst = runImmediatesFirst();
        setImmediate(() => settle(isFirst));
      });
    });
    assert.equal(await within('the second immediate', done), true);
  });

  it('can be changed in every thread of a process', async () => {
    const code = `
      const { parentPort, workerData } = require('node:worker_threads');
      import(workerData).then(({ runImmediatesFirst }) => {
        const isFirst = runImmediatesFirst();
        setImmediate(() => parentPort.postMessage(isFirst));
      });`;
    const url = new URL('../../../../src/sys/node/check-phase.ts', import.meta.url).href;
    const answers = await within(
      'the threads',
      Promise.all(
        Array.from({ length: 4 }, () => {
          return new Promise<unknown>((settle, fail) => {
            const worker = new Worker(code, { eval: true, workerData: url });
            worker.once('message', settle);
            worker.once('error', fail);
          });
        }),
      ),
    );
    assert.deepEqual(answers, [true, true, true, true]);
  });
});
