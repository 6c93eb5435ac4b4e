import { make, makeButton, setAttribute } from './dom.ts';
import { KeyedList, type ItemView } from './keyed-list.ts';

export interface TableColumn {
  /** Names the cell, as a class too. */
  readonly id: string;
  readonly label: string;
  /** Whether the cell has a number. */
  readonly isNumber?: boolean;
  /** Whether rows can be put in the order of the column. */
  readonly canSort?: boolean;
  /** A longer text for the label. */
  readonly title?: string;
}

/** A row, with its cells by the ids of their columns. */
export interface RowNodes {
  readonly row: HTMLTableRowElement;
  readonly cells: Readonly<Record<string, HTMLTableCellElement>>;
}

interface TableOptions<T> {
  readonly columns: readonly TableColumn[];
  readonly keyOf: (item: T) => string;
  readonly kindOf?: (item: T) => string;
  readonly makeRow: (nodes: RowNodes, item: T) => (item: T) => void;
  /** @param id of the column whose head was pressed */
  readonly onSort?: (id: string) => void;
}

/**
 * A table whose rows keep their nodes. On a narrow screen its style makes each row a card, so the roles are written out: a browser
 * would drop them with the layout of a table.
 */
export class Table<T> {
  readonly #table: HTMLTableElement;
  readonly #heads = new Map<string, HTMLTableCellElement>();
  readonly #list: KeyedList<T>;

  constructor(table: HTMLTableElement, { columns, keyOf, kindOf, makeRow, onSort }: TableOptions<T>) {
    this.#table = table;
    const head = make('tr', { role: 'row' });
    for (const column of columns) {
      const cell = make('th', { role: 'columnheader', scope: 'col', class: classOf(column) });
      if (column.title !== undefined) cell.title = column.title;
      if (column.canSort === true) {
        cell.append(makeButton(column.label, () => onSort?.(column.id), { class: 'sort' }));
      } else if (column.label === '') cell.append(make('span', { class: 'unseen' }, 'Commands'));
      else cell.append(column.label);
      this.#heads.set(column.id, cell);
      head.append(cell);
    }
    const body = make('tbody', { role: 'rowgroup' });
    table.append(make('thead', { role: 'rowgroup' }, head), body);
    this.#list = new KeyedList<T>(body, {
      keyOf,
      ...(kindOf !== undefined && { kindOf }),
      make: (item): ItemView<T> => {
        const nodes = rowNodes(columns);
        return { node: nodes.row, update: makeRow(nodes, item) };
      },
    });
  }

  /** Shows rows; a table without any is hidden. */
  show(items: readonly T[]): void {
    this.#list.show(items);
    this.#table.hidden = items.length === 0;
  }

  /** Says in the heads which column the rows are in the order of. */
  markOrder(id: string, isDescending: boolean): void {
    for (const [one, head] of this.#heads) {
      setAttribute(head, 'aria-sort', one !== id ? null : isDescending ? 'descending' : 'ascending');
    }
  }
}

function rowNodes(columns: readonly TableColumn[]): RowNodes {
  const cells: Record<string, HTMLTableCellElement> = {};
  const row = make('tr', { role: 'row' });
  for (const column of columns) {
    const cell = make('td', { role: 'cell', class: classOf(column), 'data-label': column.label });
    cells[column.id] = cell;
    row.append(cell);
  }
  return { row, cells };
}

function classOf({ id, isNumber }: TableColumn): string {
  return `c-${id}${isNumber === true ? ' number' : ''}`;
}
