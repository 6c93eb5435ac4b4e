/** A twentieth of what `test/scale/fuzz.scale.ts` sends over sockets. */
import { describe, it } from 'node:test';
import { ENGINES, isOwnEngine } from '../../support/engines.ts';
import { fuzzOverSockets } from '../../support/fuzz/over-sockets.ts';

/** Differs from the seed of the full run. */
const SEED = 20_260;

for (const engine of ENGINES.filter(isOwnEngine)) {
  describe(`clients of ${engine} that send mutated input`, { concurrency: false }, () => {
    it('get an answer to each request', () =>
      fuzzOverSockets(engine, { requests: 1000, streams: 0, seed: SEED }));
    it('end each session', () => fuzzOverSockets(engine, { requests: 0, streams: 250, seed: SEED }));
  });
}
