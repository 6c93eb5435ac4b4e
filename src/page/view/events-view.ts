import { isPrimaryKind, type EventRow } from '../../protocol/admin/events.ts';
import { outcomeOf, whereOf, whoOf, type RecentEvents } from '../model/recent-events.ts';
import { count } from '../model/format.ts';
import { byId, make, setAttribute, setPill, setShown, setText } from './dom.ts';
import { Table, type RowNodes, type TableColumn } from './table.ts';

const COLUMNS: readonly TableColumn[] = [
  { id: 'at', label: 'Time' },
  { id: 'kind', label: 'Kind' },
  { id: 'reason', label: 'Reason' },
  { id: 'outcome', label: 'Answer', title: 'The status, or the close code and the side' },
  { id: 'who', label: 'Who' },
  { id: 'where', label: 'Where' },
  { id: 'count', label: 'Times', isNumber: true },
];

/** The reasons for an empty or outdated list. */
interface EventsState {
  readonly takesCommands: boolean;
  readonly hasToken: boolean;
  /** Why the last request failed. Null if it succeeded, undefined before the first answer. */
  readonly problem: string | null | undefined;
}

/** Recent refusals and failures, for operators. */
export class EventsView {
  readonly #recentEvents: RecentEvents;
  readonly #table = new Table<EventRow>(byId('event-table', HTMLTableElement), {
    columns: COLUMNS,
    keyOf: ({ number }) => String(number),
    makeRow: eventUpdater,
  });
  readonly #kind = byId('event-kind', HTMLSelectElement);
  readonly #filter = byId('event-filter', HTMLInputElement);
  readonly #count = byId('event-count', HTMLSpanElement);
  readonly #note = byId('event-note', HTMLParagraphElement);
  readonly #empty = byId('event-empty', HTMLParagraphElement);
  readonly #button = byId('event-token', HTMLButtonElement);
  #state: EventsState = { takesCommands: true, hasToken: false, problem: undefined };
  #kinds = '';

  /** @param onToken called when the user wants to enter the token */
  constructor(recentEvents: RecentEvents, onToken: () => void) {
    this.#recentEvents = recentEvents;
    this.#button.addEventListener('click', onToken);
    this.#kind.addEventListener('change', () => this.#render());
    this.#filter.addEventListener('input', () => this.#render());
    this.#fillKinds();
    this.#render();
  }

  show(state: EventsState): void {
    this.#state = state;
    this.#fillKinds();
    this.#render();
  }

  #fillKinds(): void {
    const kinds = this.#recentEvents.kinds.join(' ');
    if (kinds === this.#kinds && this.#kind.childElementCount > 0) return;
    this.#kinds = kinds;
    const chosen = this.#kind.value;
    // The chosen kind stays, even without rows.
    const names = new Set([...this.#recentEvents.kinds, ...(chosen === '' ? [] : [chosen])]);
    this.#kind.replaceChildren(
      make('option', { value: '' }, 'all'),
      ...[...names].sort().map((name) => make('option', { value: name }, name)),
    );
    this.#kind.value = chosen;
  }

  #render(): void {
    const rows = this.#recentEvents.find({ kind: this.#kind.value, filter: this.#filter.value });
    this.#table.show(rows);
    const { hasToken, problem } = this.#state;
    setText(this.#count, hasToken && this.#recentEvents.size > 0 ? count(this.#recentEvents.size) : '');
    const notes = [
      hasToken && typeof problem === 'string' ? `No new events: ${problem}.` : '',
      this.#recentEvents.suppressed > 0
        ? `${count(this.#recentEvents.suppressed)} more were left out, because there were too many at a time.`
        : '',
    ].filter(Boolean);
    setText(this.#note, notes.join(' '));
    setShown(this.#note, notes.length > 0);
    const empty = rows.length > 0 ? '' : this.#emptyText();
    setText(this.#empty, empty);
    setShown(this.#empty, empty !== '');
    setShown(this.#button, !hasToken);
    setText(this.#button, this.#state.takesCommands ? 'Enter token' : 'How to set a token');
  }

  #emptyText(): string {
    const { hasToken, problem, takesCommands } = this.#state;
    if (!takesCommands) return 'Events name clients, so they need a token, and none is set in the proxy.';
    if (!hasToken) return 'Events name clients, so they need the token.';
    if (problem === undefined) return 'Asking for events.';
    if (this.#recentEvents.size > 0) return 'Nothing matches the filter.';
    return problem === null ? 'Nothing has been refused or has failed.' : '';
  }
}

function eventUpdater({ cells }: RowNodes): (row: EventRow) => void {
  const time = make('time');
  cells.at!.append(time);
  const pill = make('span', { class: 'pill' });
  cells.kind!.append(pill);
  const reason = make('span');
  const detail = make('small', { class: 'muted' });
  cells.reason!.append(reason, detail);
  return (row) => {
    setText(time, timeOf(row.at));
    time.dateTime = row.at;
    setAttribute(time, 'title', row.at);
    setPill(pill, row.kind, isPrimaryKind(row.kind) ? 'warn' : 'quiet');
    setText(reason, row.reason.replaceAll('_', ' '));
    setText(detail, row.detail ?? '');
    setText(cells.outcome!, outcomeOf(row));
    setText(cells.who!, whoOf(row));
    setText(cells.where!, whereOf(row));
    setText(cells.count!, count(row.count));
    setAttribute(cells.where!, 'title', [row.requestId, row.traceId].filter(Boolean).join(' '));
  };
}

/** Formats a moment as local time of day. */
function timeOf(iso: string): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? iso : date.toLocaleTimeString('en-GB');
}
