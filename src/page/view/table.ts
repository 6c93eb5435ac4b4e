import { make, makeButton, setAttribute } from './dom.ts';
import { KeyedList, type ItemView } from './keyed-list.ts';

export interface TableColumn {
  /** The ID and class of the cells. */
  readonly id: string;
  readonly label: string;
  /** Whether the cells have numbers. */
  readonly isNumber?: boolean;
  /** Whether rows can be sorted by the column. */
  readonly canSort?: boolean;
  /** A tooltip for the label. */
  readonly title?: string;
}

/** A row and its cells by column ID. */
export interface RowNodes {
  readonly row: HTMLTableRowElement;
  readonly cells: Readonly<Record<string, HTMLTableCellElement>>;
}

interface TableOptions<T> {
  readonly columns: readonly TableColumn[];
  readonly keyOf: (item: T) => string;
  readonly kindOf?: (item: T) => string;
  readonly makeRow: (nodes: RowNodes, item: T) => (item: T) => void;
  /** @param id ID of the column whose head was pressed */
  readonly onSort?: (id: string) => void;
}

/**
 * A table whose rows keep their nodes. On a narrow screen, CSS makes each row a card. Explicit ARIA roles
 * keep the table semantics, which browsers drop with the table layout.
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

  /** Shows rows. Hides an empty table. */
  show(items: readonly T[]): void {
    this.#list.show(items);
    this.#table.hidden = items.length === 0;
  }

  /** Marks the column that the rows are sorted by. */
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
