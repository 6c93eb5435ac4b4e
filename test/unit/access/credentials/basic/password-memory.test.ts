import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PasswordMemory } from '../../../../../src/access/credentials/basic/password-memory.ts';

describe('the memory of passwords', () => {
  it('keeps right passwords for five minutes and wrong ones for ten seconds', () => {
    let now = 0;
    const memory = new PasswordMemory(() => now);
    const [right, wrong] = [memory.digestOf('hash', 'right'), memory.digestOf('hash', 'wrong')];
    memory.remember(right, true);
    memory.remember(wrong, false);
    now = 9_999;
    assert.deepEqual([memory.recall(right), memory.recall(wrong)], [true, false]);
    now = 10_000;
    assert.deepEqual([memory.recall(right), memory.recall(wrong)], [true, null]);
    now = 300_000;
    assert.equal(memory.recall(right), null);
  });

  it('separates hashes, and differs between processes', () => {
    const memory = new PasswordMemory(() => 0);
    memory.remember(memory.digestOf('hash', 'password'), true);
    assert.equal(memory.recall(memory.digestOf('hash', 'password')), true);
    assert.equal(memory.recall(memory.digestOf('other', 'password')), null);
    assert.notEqual(new PasswordMemory(() => 0).digestOf('a', 'b'), memory.digestOf('a', 'b'));
  });

  it('evicts wrong passwords first, and never right ones for wrong ones', () => {
    const memory = new PasswordMemory(() => 0);
    memory.remember('right', true);
    for (let index = 0; index <= 1_000; index++) memory.remember(`wrong ${index}`, false);
    assert.equal(memory.recall('wrong 0'), null);
    assert.equal(memory.recall('wrong 1'), false);
    assert.equal(memory.recall('right'), true);
    for (let index = 0; index < 10_000; index++) memory.remember(`right ${index}`, true);
    assert.equal(memory.recall('right'), null);
  });
});
