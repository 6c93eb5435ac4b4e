import type { Operator } from '../client/operator.ts';
import type { SessionsAnswer } from '../../protocol/admin/answers.ts';
import type { SessionRow } from '../../protocol/access.ts';
import { kick, kickAll, type Command } from '../model/commands.ts';
import { ago } from '../model/format.ts';
import { byId, make, makeButton, setAttribute, setShown, setText } from './dom.ts';
import { Table, type RowNodes, type TableColumn } from './table.ts';

const COLUMNS: readonly TableColumn[] = [
  { id: 'principal', label: 'Principal' },
  { id: 'client', label: 'Client' },
  { id: 'listener', label: 'Listener' },
  { id: 'endpoint', label: 'Endpoint' },
  { id: 'open', label: 'Open for', isNumber: true },
  { id: 'ends', label: 'Ends' },
  { id: 'commands', label: '' },
];
const PAGE = 100;

interface SessionsOptions {
  readonly operator: Pick<Operator, 'hasToken' | 'send'>;
  /** Resolves with whether there is a token. */
  readonly authorize: () => Promise<boolean>;
  /** Resolves with whether the command was carried out. */
  readonly run: (command: Command) => Promise<boolean>;
}

interface Question {
  readonly by: string;
  readonly value: string;
}

/** Searches for sessions, and closes them. */
export class SessionsView {
  readonly #options: SessionsOptions;
  readonly #table: Table<SessionRow>;
  readonly #by = byId('session-by', HTMLSelectElement);
  readonly #value = byId('session-value', HTMLInputElement);
  readonly #note = byId('session-note', HTMLParagraphElement);
  readonly #more = byId('session-more', HTMLButtonElement);
  readonly #kickAll = byId('session-kick-all', HTMLButtonElement);
  #asked: Question = { by: 'principal', value: '' };
  #answer: SessionsAnswer | null = null;
  /** Answers to older questions are dropped. */
  #turn = 0;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#table = new Table<SessionRow>(byId('session-table', HTMLTableElement), {
      columns: COLUMNS,
      keyOf: ({ id }) => id,
      makeRow: (nodes) => sessionUpdater(nodes, (row) => void this.#kick(row)),
    });
    this.#table.show([]);
    setText(this.#note, 'Sessions name their clients, so a search needs the token.');
    byId('session-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      this.#asked = { by: this.#by.value, value: this.#value.value.trim() };
      void this.#search(null);
    });
    this.#more.addEventListener('click', () => void this.#search(this.#answer?.next ?? null));
    this.#kickAll.addEventListener('click', () => void this.#closeAll());
  }

  /** Forgets what was found: it is for those who have the token. */
  clear(): void {
    this.#turn++;
    this.#show(null);
    setText(this.#note, 'Sessions name their clients, so a search needs the token.');
  }

  /** @param after the id of the last session of the page before; null for the first page */
  async #search(after: string | null): Promise<void> {
    const { operator, authorize } = this.#options;
    if (!(await authorize())) return;
    const turn = ++this.#turn;
    const { by, value } = this.#asked;
    const query = new URLSearchParams({ limit: String(PAGE) });
    if (value !== '') query.set(by, value);
    if (after !== null) query.set('after', after);
    const { status, message, body } = await operator.send('GET', `/sessions?${query.toString()}`);
    if (turn !== this.#turn || !operator.hasToken) return;
    const isFound = status === 200 && Array.isArray(body.sessions);
    this.#show(isFound ? (body as unknown as SessionsAnswer) : null);
    setText(this.#note, isFound ? noteOf(body as unknown as SessionsAnswer) : message);
  }

  #show(answer: SessionsAnswer | null): void {
    this.#answer = answer;
    this.#table.show(answer?.sessions ?? []);
    setShown(this.#more, typeof answer?.next === 'string');
    setShown(this.#kickAll, this.#asked.value !== '' && (answer?.total ?? 0) > 1);
  }

  async #kick({ id, principal }: SessionRow): Promise<void> {
    if (await this.#options.run(kick(id, principal))) await this.#search(null);
  }

  async #closeAll(): Promise<void> {
    const { by, value } = this.#asked;
    if (await this.#options.run(kickAll(by, value, this.#answer?.total ?? 0))) await this.#search(null);
  }
}

function noteOf({ sessions, total, incomplete = [] }: SessionsAnswer): string {
  const found = total === 0 ? 'No session fits.' : `${sessions.length} of ${total} sessions.`;
  return incomplete.length === 0 ? found : `${found} No answer from ${incomplete.join(', ')}.`;
}

function sessionUpdater({ cells }: RowNodes, onKick: (row: SessionRow) => void): (row: SessionRow) => void {
  let shown: SessionRow | null = null;
  const principal = make('b', { class: 'address' });
  const id = make('small', { class: 'muted' });
  cells.principal!.append(principal, id);
  const endpoint = make('span', { class: 'address' });
  const cluster = make('small', { class: 'muted' });
  cells.endpoint!.append(endpoint, cluster);
  const button = makeButton('Close', () => {
    if (shown !== null) onKick(shown);
  });
  cells.commands!.append(make('span', { class: 'row-buttons' }, button));
  return (row) => {
    shown = row;
    const now = Date.now();
    setText(principal, row.principal === '' ? 'nobody known' : row.principal);
    setText(id, row.id);
    setText(cells.client!, row.client);
    setText(cells.listener!, row.listener);
    setText(endpoint, row.endpoint);
    setText(cluster, row.cluster);
    setText(cells.open!, ago(row.openedAt, now));
    setText(cells.ends!, row.endsAt ?? 'never');
    setAttribute(button, 'aria-label', `Close session ${row.id}`);
  };
}
