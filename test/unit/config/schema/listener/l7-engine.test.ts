import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { keyForUws } from '../../../../../src/config/schema/listener/l7-engine.ts';
import type { L7Listener } from '../../../../../src/config/types/listener.ts';
import { errorsOf, l7, load } from '../../load.ts';

describe('the engine of layer 7', () => {
  it('is chosen by the machine, or named', () => {
    const engine = (...keys: string[]): string => {
      const [listener] = load(l7(...keys)).config.listeners;
      return (listener as L7Listener).engine;
    };
    assert.deepEqual(
      ['auto', 'raw', 'net', 'uws'].map((word) => engine(`engine: ${word}`)),
      ['auto', 'raw', 'net', 'uws'],
    );
    assert.equal(engine(), 'auto');
    assert.deepEqual(errorsOf(l7('engine: uw')), [
      '5:13: engine: "uw" is not one of auto, raw, net, uws: did you mean uws?',
    ]);
  });

  it('is uws if a key needs it', () => {
    const terms = { engine: 'auto', compression: null } as const;
    assert.equal(keyForUws(terms), null);
    assert.equal(keyForUws({ ...terms, compression: 'off' }), null);
    assert.equal(keyForUws({ ...terms, engine: 'raw', compression: 'shared' }), null);
    assert.equal(keyForUws({ ...terms, engine: 'uws' }), 'engine: uws');
    assert.equal(keyForUws({ ...terms, compression: 'shared' }), 'websocket.compression: shared');
  });
});
