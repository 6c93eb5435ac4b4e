import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { plainText, symbolsOf } from '../../../../src/cli/terminal/line.ts';
import {
  filtered,
  layOut,
  lineCount,
  sorted,
  type Sort,
  type Table,
} from '../../../../src/cli/top/table-layout.ts';

const symbols = symbolsOf({ LANG: 'en_US.UTF-8' });

const TABLE: Table = {
  empty: 'nothing',
  columns: [
    { head: 'NAME', align: 'left', rank: 0, min: 8 },
    { head: 'STATE', align: 'left', rank: 0 },
    { head: 'COUNT', align: 'right', rank: 1 },
    { head: 'BALANCER', align: 'left', rank: 2 },
  ],
  rows: [
    row('second-of-the-names', 'up', 5),
    { ...row('first', 'down', 30), note: 'connect: timed out' },
    row('third', 'up', null),
  ],
};

function row(name: string, state: string, count: number | null) {
  const cells = [
    { text: name },
    { text: state },
    { text: String(count ?? '-'), order: count },
    { text: 'round_robin' },
  ];
  return { cells };
}

function lines(width: number, sort: Sort | null = null): string[] {
  const { head, body } = layOut(TABLE, sorted(TABLE, sort), { width, symbols, sort });
  return [head, ...body].map(plainText);
}

describe('the layout of a table', () => {
  it('has all columns whole if there is room, and notes behind their rows', () => {
    assert.deepEqual(lines(80), [
      'NAME                 STATE  COUNT  BALANCER',
      'second-of-the-names  up         5  round_robin',
      'first                down      30  round_robin',
      '  connect: timed out',
      'third                up         -  round_robin',
    ]);
  });

  it('cuts names before it leaves out columns, and leaves out those of the highest rank', () => {
    assert.deepEqual(lines(40), [
      'NAME           STATE  COUNT  BALANCER',
      'second-of-th…  up         5  round_robin',
      'first          down      30  round_robin',
      '  connect: timed out',
      'third          up         -  round_robin',
    ]);
    assert.deepEqual(lines(26), [
      'NAME          STATE  COUNT',
      'second-of-t…  up         5',
      'first         down      30',
      '  connect: timed out',
      'third         up         -',
    ]);
    assert.deepEqual(lines(15), [
      'NAME      STATE',
      'second-…  up',
      'first     down',
      '  connect: tim…',
      'third     up',
    ]);
  });

  it('marks the order, and keeps the column that makes it', () => {
    assert.deepEqual(lines(40, { column: 2, falling: true }).slice(0, 2), [
      'NAME          STATE  COUNT↓  BALANCER',
      'first         down       30  round_robin',
    ]);
    assert.equal(lines(15, { column: 2, falling: false })[0], 'NAME      STAT…');
    assert.match(lines(30, { column: 3, falling: false })[0] ?? '', /BALANCER↑$/);
  });

  it('lays out a window of the lines only, which may begin at a note', () => {
    const all = layOut(TABLE, TABLE.rows, { width: 40, symbols, sort: null });
    assert.equal(lineCount(TABLE.rows), all.body.length);
    for (let first = 0; first <= all.body.length; first++) {
      for (let count = 0; count <= all.body.length; count++) {
        const { head, body } = layOut(TABLE, TABLE.rows, { width: 40, symbols, sort: null, first, count });
        assert.deepEqual(head, all.head);
        assert.deepEqual(body, all.body.slice(first, first + count));
      }
    }
  });

  it('is never wider than the width', () => {
    const orders = fc.option(fc.record({ column: fc.nat(5), falling: fc.boolean() }));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), orders, (width, sort) => {
        for (const line of lines(width, sort)) assert.ok(line.length <= width, line);
      }),
    );
  });
});

describe('the order of rows', () => {
  const order = (sort: Sort | null): (string | undefined)[] =>
    sorted(TABLE, sort).map(({ cells }) => cells[0]?.text);

  it('is by text or number, both ways, and what is unknown comes last', () => {
    assert.deepEqual(order(null), ['second-of-the-names', 'first', 'third']);
    assert.deepEqual(order({ column: 0, falling: false }), ['first', 'second-of-the-names', 'third']);
    assert.deepEqual(order({ column: 2, falling: true }), ['first', 'second-of-the-names', 'third']);
    assert.deepEqual(order({ column: 2, falling: false }), ['second-of-the-names', 'first', 'third']);
  });

  it('is the own one for a column that is not there', () => {
    assert.deepEqual(order({ column: 9, falling: false }), order(null));
  });
});

describe('a filter', () => {
  it('finds text in any cell and in notes, in any case', () => {
    const names = (filter: string): (string | undefined)[] =>
      filtered(TABLE.rows, filter).map(({ cells }) => cells[0]?.text);
    assert.deepEqual(names('UP'), ['second-of-the-names', 'third']);
    assert.deepEqual(names('timed'), ['first']);
    assert.deepEqual(names('nowhere'), []);
    assert.equal(names('').length, 3);
  });
});
