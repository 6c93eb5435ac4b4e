/** Changes that a worker gives up while it builds them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { World, environmentOf } from './fakes.ts';

const WEB = { name: 'web', address: ':80', cluster: 'blue' };
const API = { name: 'api', address: ':81', cluster: 'blue' };
const MOVED = { ...WEB, address: ':8080' };

describe('a change that is given up', () => {
  it('leaves no listener behind if the worker ends while the change is built', async () => {
    const { generations, layer } = await World.listening([WEB]);
    const change = generations.prepare(environmentOf(2, [MOVED, API]));
    const refused = assert.rejects(change, { message: 'the worker has ended' });
    generations.abort();
    await refused;
    assert.deepEqual(
      layer.made.map(({ listens }) => listens),
      [false],
    );
  });

  it('closes a listener created while the worker ends', async () => {
    const { generations, layer } = await World.listening([WEB]);
    const made = layer.holdNext();
    const change = generations.prepare(environmentOf(2, [MOVED]));
    const refused = assert.rejects(change, { message: 'the worker has ended' });
    await made.begun;
    generations.abort();
    made.release();
    await refused;
    assert.deepEqual(layer.made[1]!.asked, ['close']);
  });

  it('is closed when the next begins, whether it is built or not', async () => {
    const { generations, layer } = await World.listening([WEB]);
    await generations.prepare(environmentOf(2, [MOVED]));
    const made = layer.holdNext();
    const second = generations.prepare(environmentOf(3, [MOVED]));
    const refused = assert.rejects(second, { message: 'another change has begun' });
    await made.begun;
    const third = await generations.prepare(environmentOf(4, [MOVED]));
    made.release();
    await refused;
    third.commit();
    assert.deepEqual(
      layer.made.slice(1).map(({ asked }) => asked),
      [['listen', 'stop', 'close'], ['listen', 'inherit :80'], ['close']],
    );
  });

  it('keeps the listeners of a worker that ends before it listens from listening', async () => {
    const { generations, layer } = new World([WEB, API]);
    const listening = assert.rejects(generations.listen(), { message: 'the worker has ended' });
    generations.abort();
    await listening;
    assert.deepEqual(layer.made, []);
  });
});
