import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FairShares, type Share } from '../../../../src/l7/bound/fair-shares.ts';

/** Shares with connections that are named as in `victim!2`: a network, `!` for an accepted login, a number. */
class Rig {
  readonly shares = new FairShares<Share & { name: string }>();
  readonly #kept = new Map<string, Share & { name: string }>();

  /** @param names the one used longest ago first */
  constructor(names: string) {
    for (const name of names.split(' ')) this.add(name);
  }

  add(name: string): void {
    const network = /^[a-z]+/.exec(name)![0];
    const share = { name, network, accepted: name.includes('!'), turn: this.#kept.size };
    this.#kept.set(name, share);
    this.shares.add(share);
  }

  /**
   * Adds connections of a network. Each replaces another one. Returns the names of the closed connections.
   */
  come(network: string, count: number): string {
    const closed = Array.from({ length: count }, (_, number) => {
      const share = this.shares.chooseFor(network);
      if (share !== null) this.shares.delete(share);
      this.add(`${network}!new${number}`);
      return share?.name ?? 'none';
    });
    return closed.join(' ');
  }

  use(network: string, count: number): this {
    for (let number = 0; number < count; number++) this.shares.beginUse(network);
    return this;
  }

  choose(network: string): string {
    return this.shares.chooseFor(network)?.name ?? 'none';
  }
}

describe('the bound connection to close at a limit', () => {
  it('belongs to the network with the most, and is unaccepted or the oldest', () => {
    assert.equal(new Rig('a!1 b!1 b2 b!3 b4 c5').choose('new'), 'b2');
    assert.equal(new Rig('a!1 b!1 b!2 c3').choose('new'), 'b!1');
  });

  it("is the newcomer's own if its network would have the most", () => {
    assert.equal(new Rig('victim!1 victim!2 flood!1 flood!2').choose('flood'), 'flood!1');
    assert.equal(new Rig('a!1 flood!1 b2').choose('flood'), 'flood!1');
    assert.equal(new Rig('a!1 a!2 flood!1').choose('flood'), 'a!1');
    assert.equal(new Rig('flood!1 a!2 a3').choose('flood'), 'a3');
  });

  it('never belongs to another network during a flood', () => {
    const rig = new Rig('a!1 b!1 b!2 c1 flood!1 flood!2 flood!3');
    const closed = rig.come('flood', 100);
    assert.match(closed, /^flood!1 flood!2 flood!3 (?:flood!new\d+ ?){97}$/);
  });

  it('is unaccepted or the oldest if all networks have equally many', () => {
    const rig = new Rig('a!1 b2 c!3 d4');
    assert.equal(rig.choose('new'), 'b2');
    assert.equal(rig.come('e', 1) + rig.come('f', 1), 'b2d4');
    assert.equal(rig.choose('g'), 'a!1');
  });

  it('is idle, although connections in use count', () => {
    assert.equal(new Rig('a!1 a!2 b!1').use('b', 2).choose('new'), 'b!1');
    assert.equal(new Rig('a!1 a!2 flood!1').use('flood', 3).choose('flood'), 'flood!1');
    const rig = new Rig('a!1').use('a', 1);
    rig.shares.endUse('a');
    assert.equal(rig.choose('new'), 'a!1');
  });

  it('is none if the newcomer has the most, all in use, over its limits', () => {
    const many = Array.from({ length: 50 }, (_, number) => `${'b'.repeat(number + 1)}!1`).join(' ');
    assert.equal(new Rig(many).use('browser', 5).choose('browser'), 'b!1');
    assert.equal(new Rig(many).use('flood', 6).choose('flood'), 'none');
    assert.equal(new Rig(many).use('flood', 6).choose('new'), 'b!1');
    assert.equal(new Rig('a!1 a!2 a!3').use('flood', 2).choose('flood'), 'a!1');
    assert.equal(new Rig('a!1 a!2 a!3').use('flood', 3).choose('flood'), 'none');
  });

  it('is none if no connection is idle', () => {
    const shares = new FairShares<Share>();
    shares.beginUse('a');
    assert.deepEqual([shares.chooseFor('a'), shares.chooseFor('b'), shares.waiting], [null, null, 0]);
  });

  it('equals the result of a full search', () => {
    const step = fc.record({
      network: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      accepted: fc.boolean(),
      what: fc.constantFrom('add', 'add', 'delete', 'begin', 'end', 'displace'),
      at: fc.nat(50),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const shares = new FairShares<Share>();
        let kept: Share[] = [];
        const inUse: string[] = [];
        const heldBy = (network: string): number =>
          [...kept.map((share) => share.network), ...inUse].filter((each) => each === network).length;
        for (const [turn, { network, accepted, what, at }] of steps.entries()) {
          if (what === 'add') {
            const share = { network, accepted, turn };
            shares.add(share);
            kept.push(share);
          } else if (what === 'begin') {
            shares.beginUse(network);
            inUse.push(network);
          } else if (what === 'end' && inUse.includes(network)) {
            shares.endUse(network);
            inUse.splice(inUse.indexOf(network), 1);
          } else if (what === 'delete' && kept.length > 0) {
            const share = kept[at % kept.length]!;
            shares.delete(share);
            kept = kept.filter((other) => other !== share);
          } else if (what === 'displace') {
            const rank = (each: Share): number => heldBy(each.network) + (each.network === network ? 1 : 0);
            const [first = null] = [...kept].sort(
              (a, b) => rank(b) - rank(a) || Number(a.accepted) - Number(b.accepted) || a.turn - b.turn,
            );
            const used = inUse.filter((each) => each === network).length;
            const waits = kept.some((share) => share.network === network);
            const limit = Math.min(6, (kept.length + inUse.length) / 8);
            const isRefused = first !== null && !waits && used >= limit && used + 1 > rank(first);
            assert.equal(shares.chooseFor(network), isRefused ? null : first);
          }
          assert.equal(shares.waiting, kept.length);
        }
      }),
    );
  });
});
