import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bytesOfPem, pemBlocks } from '../../../../src/core/certificate/pem.ts';

const block = (label: string, body: string): string =>
  `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----`;

describe('the blocks of a PEM text', () => {
  it('are found by their label, without text between them', () => {
    const text = `Subject: a\n${block('A', 'one')}\nnote\n${block('B', 'two')}${block('A', 'three')}\n`;
    assert.deepEqual(pemBlocks(text, 'A'), [block('A', 'one'), block('A', 'three')]);
    assert.deepEqual(pemBlocks(text, 'C'), []);
  });

  it('need an end', () => {
    assert.deepEqual(pemBlocks('-----BEGIN A-----\n'.repeat(3), 'A'), []);
    assert.deepEqual(pemBlocks('-----END A-----\n-----BEGIN A-----', 'A'), []);
  });

  it('have bytes', () => {
    assert.equal(bytesOfPem(block('A B', 'b25l\ndHdv')).toString(), 'onetwo');
  });
});
