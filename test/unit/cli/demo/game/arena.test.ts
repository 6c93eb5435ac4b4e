import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Arena, GOAL, HEIGHT, PLAYER_RADIUS, WIDTH } from '../../../../../src/cli/demo/game/arena.ts';

/** Puts everything in the middle, coins of value 1. */
const CENTRE = (): number => 0.5;

/** Returns an arena whose coins are in the middle, and which puts its players at the upper left. */
function coinsInTheMiddle(): Arena {
  let random = CENTRE;
  const arena = new Arena(() => random());
  random = () => 0;
  return arena;
}

describe('a player', () => {
  it('moves 360 units a second in its direction, diagonals included, until it is steered otherwise', () => {
    const arena = new Arena(CENTRE);
    arena.add(1);
    const [player] = arena.players;
    arena.steer(1, -1, 0);
    for (let tick = 0; tick < 10; tick++) arena.step(0.05);
    assert.deepEqual([player!.x, player!.y], [320, 300]);
    arena.steer(1, 1, 1);
    arena.step(0.1);
    assert.ok(Math.abs(Math.hypot(player!.x - 320, player!.y - 300) - 36) < 1e-9);
    arena.steer(1, 0, 0);
    const { x, y } = player!;
    arena.step(1);
    assert.deepEqual([player!.x, player!.y], [x, y]);
  });

  it('goes to a place and stops there, at the same speed', () => {
    const arena = new Arena(CENTRE);
    arena.add(1);
    const [player] = arena.players;
    arena.go(1, 560, 300);
    arena.step(0.1);
    assert.deepEqual([player!.x, player!.y], [536, 300]);
    arena.step(0.1);
    arena.step(0.1);
    assert.deepEqual([player!.x, player!.y], [560, 300]);
  });

  it('never leaves the arena, wherever it steers', () => {
    const number = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), number, number), { maxLength: 30 }), (steps) => {
        const arena = new Arena();
        arena.add(1);
        for (const [steers, x, y] of steps) {
          if (steers) arena.steer(1, x, y);
          else arena.go(1, x, y);
          arena.step(0.5);
          const [player] = arena.players;
          assert.ok(player!.x >= PLAYER_RADIUS && player!.x <= WIDTH - PLAYER_RADIUS, String(player!.x));
          assert.ok(player!.y >= PLAYER_RADIUS && player!.y <= HEIGHT - PLAYER_RADIUS, String(player!.y));
        }
      }),
    );
  });

  it('collects the coins that it touches, and each is replaced by a new one', () => {
    const arena = coinsInTheMiddle();
    const old = new Set(arena.coins.map(({ id }) => id));
    arena.add(1);
    arena.go(1, 500, 300);
    for (let tick = 0; tick < 100; tick++) arena.step(0.05);
    assert.deepEqual(arena.players[0]!.score, old.size);
    assert.equal(arena.coins.length, old.size);
    assert.ok(arena.coins.every(({ id }) => !old.has(id)));
  });

  it('wins the round at the goal, and all scores begin again', () => {
    const arena = new Arena(CENTRE);
    arena.add(1);
    // New coins appear under the players: 8 in each step, up to the goal.
    assert.equal(GOAL, 20);
    assert.equal(arena.step(0.05), null);
    arena.add(2);
    assert.equal(arena.step(0.05), null);
    const winner = arena.step(0.05);
    assert.equal(winner?.id, 1);
    assert.deepEqual(
      arena.players.map(({ score }) => score),
      [0, 0],
    );
  });

  it('is ignored after it has left', () => {
    const arena = new Arena(CENTRE);
    arena.add(1);
    arena.remove(1);
    arena.steer(1, 1, 0);
    arena.go(1, 1, 0);
    assert.equal(arena.step(0.05), null);
    assert.deepEqual(arena.players, []);
  });
});

describe('a coin', () => {
  it('is golden and worth 3 in one of six cases', () => {
    const values = (random: number): number[] => new Arena(() => random).coins.map(({ value }) => value);
    assert.deepEqual(new Set(values(0.16)), new Set([3]));
    assert.deepEqual(new Set(values(0.17)), new Set([1]));
  });
});
