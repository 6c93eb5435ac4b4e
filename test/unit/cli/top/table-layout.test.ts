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

describe('the table layout', () => {
  it('shows all columns in full if there is room, and each note below its row', () => {
    assert.deepEqual(lines(80), [
      'NAME                 STATE  COUNT  BALANCER',
      'second-of-the-names  up         5  round_robin',
      'first                down      30  round_robin',
      '  connect: timed out',
      'third                up         -  round_robin',
    ]);
  });

  it('truncates names before it drops columns, and drops the columns of the highest rank first', () => {
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

  it('marks the sorted column, and never drops it', () => {
    assert.deepEqual(lines(40, { column: 2, falling: true }).slice(0, 2), [
      'NAME          STATE  COUNT↓  BALANCER',
      'first         down       30  round_robin',
    ]);
    assert.equal(lines(15, { column: 2, falling: false })[0], 'NAME      STAT…');
    assert.match(lines(30, { column: 3, falling: false })[0] ?? '', /BALANCER↑$/);
  });

  it('lays out only the requested window of lines, which may begin at a note', () => {
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

  it('never exceeds the given width', () => {
    const orders = fc.option(fc.record({ column: fc.nat(5), falling: fc.boolean() }));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), orders, (width, sort) => {
        for (const line of lines(width, sort)) assert.ok(line.length <= width, line);
      }),
    );
  });
});

describe('the row order', () => {
  const order = (sort: Sort | null): (string | undefined)[] =>
    sorted(TABLE, sort).map(({ cells }) => cells[0]?.text);

  it('is by text or number, in either direction, with unknown values last', () => {
    assert.deepEqual(order(null), ['second-of-the-names', 'first', 'third']);
    assert.deepEqual(order({ column: 0, falling: false }), ['first', 'second-of-the-names', 'third']);
    assert.deepEqual(order({ column: 2, falling: true }), ['first', 'second-of-the-names', 'third']);
    assert.deepEqual(order({ column: 2, falling: false }), ['second-of-the-names', 'first', 'third']);
  });

  it('is unchanged if the sort column does not exist', () => {
    assert.deepEqual(order({ column: 9, falling: false }), order(null));
  });
});

describe('the row filter', () => {
  it('matches text in any cell or note, ignoring case', () => {
    const names = (filter: string): (string | undefined)[] =>
      filtered(TABLE.rows, filter).map(({ cells }) => cells[0]?.text);
    assert.deepEqual(names('UP'), ['second-of-the-names', 'third']);
    assert.deepEqual(names('timed'), ['first']);
    assert.deepEqual(names('nowhere'), []);
    assert.equal(names('').length, 3);
  });
});
