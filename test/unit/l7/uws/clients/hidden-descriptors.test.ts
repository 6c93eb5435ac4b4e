import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  findDescriptors,
  type Addressed,
  type Hideable,
} from '../../../../../src/l7/uws/clients/hidden-descriptors.ts';

class Descriptors implements Hideable {
  readonly size: number;
  readonly hidden: boolean[];
  calls = 0;

  constructor(size: number) {
    this.size = size;
    this.hidden = new Array<boolean>(size).fill(false);
  }

  hide(index: number): void {
    this.hidden[index] = true;
    this.calls++;
  }

  show(index: number): void {
    this.hidden[index] = false;
    this.calls++;
  }

  /** A WebSocket on the descriptor with the index; on another one for -1. */
  socket(index: number, isBroken = false): Addressed {
    return {
      getRemoteAddress: () => new ArrayBuffer(isBroken || this.hidden[index] === true ? 0 : 4),
    };
  }
}

describe('the descriptors of WebSockets', () => {
  it('are found by hiding, and are all visible again', () => {
    const positions = fc
      .integer({ min: 1, max: 130 })
      .chain((size) => fc.tuple(fc.constant(size), fc.shuffledSubarray([-1, ...Array(size).keys()])));
    fc.assert(
      fc.property(positions, ([size, indexes]) => {
        const descriptors = new Descriptors(size);
        const found = findDescriptors(
          indexes.map((index) => descriptors.socket(index)),
          descriptors,
        );
        assert.deepEqual(found, indexes);
        assert.ok(descriptors.hidden.every((hidden) => !hidden));
      }),
    );
  });

  it('are not confused with a broken connection, which never has an address', () => {
    const descriptors = new Descriptors(8);
    const sockets = [descriptors.socket(5), descriptors.socket(-1, true), descriptors.socket(7)];
    assert.deepEqual(findDescriptors(sockets, descriptors), [5, -1, 7]);
  });

  it('are not confused with a connection that breaks during the search', () => {
    const descriptors = new Descriptors(8);
    let asked = 0;
    const breaking = {
      getRemoteAddress: () => new ArrayBuffer(++asked > 2 || descriptors.hidden[2] ? 0 : 4),
    };
    assert.deepEqual(findDescriptors([breaking, descriptors.socket(1)], descriptors), [-1, 1]);
  });

  it('are not searched bit by bit if no WebSocket uses any of them', () => {
    const descriptors = new Descriptors(100);
    assert.deepEqual(findDescriptors([descriptors.socket(-1)], descriptors), [-1]);
    assert.equal(descriptors.calls, 200);
  });
});
