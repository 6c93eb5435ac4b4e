import type { Operator } from '../client/operator.ts';
import type { SessionsAnswer } from '../../protocol/admin/answers.ts';
import type { LiveFrame } from '../../protocol/admin/live.ts';
import { kick, kickAll, type Command } from '../model/commands.ts';
import { FoundSessions, type FoundSession } from '../model/found-sessions.ts';
import { ago } from '../model/format.ts';
import { byId, make, makeButton, setAttribute, setPill, setShown, setText } from './dom.ts';
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
  /** Resolves with whether the page has a token. */
  readonly authorize: () => Promise<boolean>;
  /** Resolves with the status of the answer. Null if the command was not sent. */
  readonly run: (command: Command) => Promise<number | null>;
}

interface Question {
  readonly by: string;
  readonly value: string;
}

/** Searches for sessions and closes them. */
export class SessionsView {
  readonly #options: SessionsOptions;
  readonly #table: Table<FoundSession>;
  readonly #by = byId('session-by', HTMLSelectElement);
  readonly #value = byId('session-value', HTMLInputElement);
  readonly #note = byId('session-note', HTMLParagraphElement);
  readonly #found = new FoundSessions();
  readonly #more = byId('session-more', HTMLButtonElement);
  readonly #kickAll = byId('session-kick-all', HTMLButtonElement);
  #question: Question = { by: 'principal', value: '' };
  /** Number of the last search. Answers to older searches are dropped. */
  #turn = 0;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#table = new Table<FoundSession>(byId('session-table', HTMLTableElement), {
      columns: COLUMNS,
      keyOf: ({ id }) => id,
      makeRow: (nodes) => sessionUpdater(nodes, (row) => void this.#kick(row)),
    });
    this.#table.show([]);
    setText(this.#note, 'Sessions name their clients, so a search needs the token.');
    byId('session-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      this.#question = { by: this.#by.value, value: this.#value.value.trim() };
      void this.#search(null);
    });
    this.#more.addEventListener('click', () => void this.#search(this.#found.answer?.next ?? null));
    this.#kickAll.addEventListener('click', () => void this.#closeAll());
  }

  /** Clears the result, which only holders of the token may see. */
  clear(): void {
    this.#turn++;
    this.#show(null);
    setText(this.#note, 'Sessions name their clients, so a search needs the token.');
  }

  /** Clears the result when frames come from another process, which has different sessions. */
  notice(frame: LiveFrame): void {
    if (!this.#found.isRestart(frame) || this.#found.answer === null) return;
    this.#show(null);
    setText(this.#note, 'The proxy restarted, so the old results are gone: search again.');
  }

  /** @param after ID of the last session of the previous page; null for the first page */
  async #search(after: string | null): Promise<void> {
    const { operator, authorize } = this.#options;
    if (!(await authorize())) return;
    const turn = ++this.#turn;
    const { by, value } = this.#question;
    const query = new URLSearchParams({ limit: String(PAGE) });
    if (value !== '') query.set(by, value);
    if (after !== null) query.set('after', after);
    const { status, message, body } = await operator.send('GET', `/sessions?${query.toString()}`);
    if (turn !== this.#turn || !operator.hasToken) return;
    const isFound = status === 200 && Array.isArray(body.sessions);
    this.#show(isFound ? (body as unknown as SessionsAnswer) : null);
    if (!isFound) setText(this.#note, message);
  }

  #show(answer: SessionsAnswer | null): void {
    this.#found.set(answer);
    this.#showRows();
    setShown(this.#more, typeof answer?.next === 'string');
    setShown(this.#kickAll, this.#question.value !== '' && (answer?.total ?? 0) > 1);
  }

  #showRows(): void {
    this.#table.show(this.#found.rows);
    setText(this.#note, this.#found.note);
  }

  async #kick({ id, principal }: FoundSession): Promise<void> {
    const status = await this.#options.run(kick(id, principal));
    // 404: the session ended by itself.
    if (status !== 200 && status !== 404) return;
    if (this.#found.end(id)) this.#showRows();
  }

  async #closeAll(): Promise<void> {
    const { by, value } = this.#question;
    const command = kickAll(by, value, this.#found.answer?.total ?? 0);
    if ((await this.#options.run(command)) === 200) await this.#search(null);
  }
}

function sessionUpdater(
  { cells }: RowNodes,
  onKick: (row: FoundSession) => void,
): (row: FoundSession) => void {
  let shown: FoundSession | null = null;
  const principal = make('b', { class: 'address' });
  const id = make('small', { class: 'muted' });
  cells.principal!.append(principal, id);
  const endpoint = make('span', { class: 'address' });
  const cluster = make('small', { class: 'muted' });
  cells.endpoint!.append(endpoint, cluster);
  const button = makeButton('Close', () => {
    if (shown !== null) onKick(shown);
  });
  const pill = make('span', { class: 'pill' });
  setPill(pill, 'ended', 'quiet');
  cells.commands!.append(make('span', { class: 'row-buttons' }, button, pill));
  return (row) => {
    shown = row;
    const now = Date.now();
    setText(principal, row.principal === '' ? 'unknown' : row.principal);
    setText(id, row.id);
    setText(cells.client!, row.client);
    setText(cells.listener!, row.listener);
    setText(endpoint, row.endpoint);
    setText(cluster, row.cluster);
    setText(cells.open!, ago(row.openedAt, now));
    setText(cells.ends!, row.endsAt ?? 'never');
    setAttribute(button, 'aria-label', `Close session ${row.id}`);
    setShown(button, !row.hasEnded);
    setShown(pill, row.hasEnded);
  };
}
