import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Publication } from '../../../../src/primary/clusters/publication.ts';

/** A publication whose timers fire when the test says so. */
function rig(): {
  publication: Publication;
  published: () => number;
  waits: (number | 'turn')[];
  fire: () => void;
} {
  let published = 0;
  const waits: (number | 'turn')[] = [];
  const waiting: (() => void)[] = [];
  const publication = new Publication(() => (published += 1), {
    setImmediate: (run) => {
      waits.push('turn');
      waiting.push(run);
    },
    setTimeout: (run, ms) => {
      waits.push(ms);
      waiting.push(run);
    },
  });
  const fire = (): void => {
    for (const run of waiting.splice(0)) run();
  };
  return { publication, published: () => published, waits, fire };
}

describe('a publication', () => {
  it('covers all changes of a turn, and follows all of them', () => {
    const { publication, published, waits, fire } = rig();
    for (let count = 0; count < 3; count++) publication.schedule(256);
    assert.equal(published(), 0);
    fire();
    assert.equal(published(), 1);
    publication.schedule(1);
    fire();
    assert.deepEqual([published(), waits], [2, ['turn', 'turn']]);
  });

  it('collects changes in a larger cluster for 0.1 ms per endpoint', () => {
    const { publication, published, waits, fire } = rig();
    publication.schedule(4096);
    publication.schedule(4097);
    assert.equal(waits.length, 1);
    assert.ok(Math.abs(Number(waits[0]) - 409.6) < 1e-6);
    fire();
    assert.equal(published(), 1);
  });

  it('does not follow the end', () => {
    const { publication, published, fire } = rig();
    publication.schedule(1);
    publication.stop();
    fire();
    publication.schedule(1);
    fire();
    assert.equal(published(), 0);
  });
});
