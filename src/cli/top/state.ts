/** The user's choices in `sluice top`, and the effect of each key. */
import { printable } from '../../telemetry/output/printable.ts';
import type { Key } from '../terminal/keys.ts';
import type { Sort } from './table-layout.ts';

export const VIEWS = ['all', 'clusters', 'endpoints', 'workers', 'errors', 'listeners', 'events'] as const;
export type ViewName = (typeof VIEWS)[number];

/** Max characters of a filter. */
const MAX_FILTER = 64;

export interface TopState {
  readonly view: ViewName;
  /** The sort order of each view. Absent for the view's default order. */
  readonly sorts: Readonly<Partial<Record<ViewName, Sort>>>;
  /** Rows without this text are hidden. */
  readonly filter: string;
  /** Whether keys edit the filter. */
  readonly typing: boolean;
  /** Number of lines scrolled off the top. */
  readonly offset: number;
  readonly paused: boolean;
  readonly help: boolean;
}

/** Facts about the visible table that the keys depend on. */
export interface Shown {
  /** Lines of the whole table. */
  readonly lines: number;
  /** Lines that fit the screen. */
  readonly room: number;
  /** Per column of the table, whether it holds numbers. Numbers sort from the largest. */
  readonly numeric: readonly boolean[];
}

export const INITIAL: TopState = {
  view: 'all',
  sorts: {},
  filter: '',
  typing: false,
  offset: 0,
  paused: false,
  help: false,
};

/** Returns the state after a key, or the action that the key requests. */
export function press(state: TopState, key: Key, shown: Shown): TopState | 'quit' | 'suspend' | 'redraw' {
  if (key === 'ctrl-c') return 'quit';
  if (key === 'ctrl-z') return 'suspend';
  if (key === 'ctrl-l') return 'redraw';
  if (state.typing) return typed(state, key);
  if (state.help) return key === 'q' ? 'quit' : { ...state, help: false };
  const place = VIEWS.indexOf(state.view);
  switch (key) {
    case 'q':
      return 'quit';
    case '?':
    case 'h':
      return { ...state, help: true };
    case ' ':
      return { ...state, paused: !state.paused };
    case '/':
      return { ...state, typing: true };
    case 'escape':
      return { ...state, filter: '', offset: 0 };
    case 'tab':
    case 'right':
      return turned(state, place + 1);
    case 'backtab':
    case 'left':
      return turned(state, place - 1);
    case 's':
    case '>':
      return sortedBy(state, shown, 1);
    case '<':
      return sortedBy(state, shown, -1);
    case 'S':
      return reversed(state);
    case 'up':
    case 'k':
      return scrolled(state, shown, -1);
    case 'down':
    case 'j':
      return scrolled(state, shown, 1);
    case 'pageup':
      return scrolled(state, shown, -shown.room);
    case 'pagedown':
      return scrolled(state, shown, shown.room);
    case 'home':
    case 'g':
      return scrolled(state, shown, -Infinity);
    case 'end':
    case 'G':
      return scrolled(state, shown, Infinity);
    default: {
      const number = /^[1-9]$/.test(key) ? Number(key) : 0;
      return number >= 1 && number <= VIEWS.length ? turned(state, number - 1) : state;
    }
  }
}

function typed(state: TopState, key: Key): TopState {
  switch (key) {
    case 'enter':
      return { ...state, typing: false };
    case 'escape':
      return { ...state, typing: false, filter: '', offset: 0 };
    case 'backspace':
      return { ...state, filter: state.filter.slice(0, -1), offset: 0 };
    case 'ctrl-u':
      return { ...state, filter: '', offset: 0 };
    default: {
      // A key name, such as an arrow, does nothing here. Names on the screen are printable, so the filter
      // must be too.
      if (key.length > 1 && /^[ -~]*$/.test(key)) return state;
      const filter = state.filter + printable(key);
      return filter.length > MAX_FILTER ? state : { ...state, filter, offset: 0 };
    }
  }
}

function turned(state: TopState, place: number): TopState {
  const view = VIEWS[(place + VIEWS.length) % VIEWS.length];
  return view === undefined || view === state.view ? state : { ...state, view, offset: 0 };
}

/** Sorts by the next column. After the last column comes the view's default order. */
function sortedBy(state: TopState, { numeric }: Shown, step: 1 | -1): TopState {
  if (numeric.length === 0) return state;
  const places = numeric.length + 1;
  const place = (state.sorts[state.view]?.column ?? numeric.length) + step;
  const column = (place + places) % places;
  const { [state.view]: _, ...others } = state.sorts;
  const sorts =
    column === numeric.length
      ? others
      : { ...others, [state.view]: { column, falling: numeric[column] === true } };
  return { ...state, sorts, offset: 0 };
}

function reversed(state: TopState): TopState {
  const sort = state.sorts[state.view];
  if (sort === undefined) return state;
  const sorts = { ...state.sorts, [state.view]: { ...sort, falling: !sort.falling } };
  return { ...state, sorts, offset: 0 };
}

function scrolled(state: TopState, { lines, room }: Shown, step: number): TopState {
  const last = Math.max(0, lines - room);
  return { ...state, offset: Math.max(0, Math.min(last, Math.min(last, state.offset) + step)) };
}
