import type { LiveFrame } from '../../protocol/admin/live.ts';
import type { Command } from '../model/commands.ts';
import { drain, undrain } from '../model/commands.ts';
import { count, daysUntil, plural } from '../model/format.ts';
import type { LiveListener } from '../model/live-types.ts';
import { MIN_CERTIFICATE_DAYS } from '../model/notices.ts';
import { byId, make, makeButton, setAttribute, setPill, setShown, setText } from './dom.ts';
import { KeyedList, type ItemView } from './keyed-list.ts';
import { Table, type RowNodes, type TableColumn } from './table.ts';

type Certificate = LiveListener['certificates'][number];

const COLUMNS: readonly TableColumn[] = [
  { id: 'name', label: 'Listener' },
  { id: 'state', label: 'State' },
  { id: 'address', label: 'Address' },
  { id: 'engine', label: 'Engine' },
  { id: 'tls', label: 'TLS' },
  { id: 'connections', label: 'Connections', isNumber: true },
  { id: 'commands', label: '' },
];

/** Listeners with their engines and the expiry of their certificates. */
export class ListenersView {
  readonly #table: Table<LiveListener>;
  readonly #empty = byId('listener-empty', HTMLParagraphElement);
  #now = 0;

  constructor(onCommand: (command: Command) => void) {
    this.#table = new Table<LiveListener>(byId('listener-table', HTMLTableElement), {
      columns: COLUMNS,
      keyOf: ({ name }) => name,
      makeRow: (nodes) => listenerUpdater(nodes, () => this.#now, onCommand),
    });
  }

  show({ listeners, at }: LiveFrame): void {
    this.#now = at;
    this.#table.show(listeners);
    setShown(this.#empty, listeners.length === 0);
    setText(this.#empty, 'The configuration has no listeners.');
  }
}

function listenerUpdater(
  { cells }: RowNodes,
  now: () => number,
  onCommand: (command: Command) => void,
): (listener: LiveListener) => void {
  let shown: LiveListener | null = null;
  const name = make('b', { class: 'address' });
  const mode = make('small', { class: 'muted' });
  cells.name!.append(name, mode);
  const pill = make('span', { class: 'pill' });
  cells.state!.append(pill);
  const engine = make('span');
  const reason = make('small', { class: 'muted' });
  cells.engine!.append(engine, reason);
  const tls = make('span');
  const certificates = make('ul', { class: 'certificates' });
  cells.tls!.append(tls, certificates);
  const list = new KeyedList<Certificate>(certificates, {
    keyOf: ({ name: certificate }) => certificate,
    make: () => certificateView(now),
  });
  const button = makeButton('', () => {
    if (shown === null) return;
    const scope = { kind: 'listener', name: shown.name } as const;
    onCommand(shown.drained ? undrain(scope) : drain(scope, shown.connections));
  });
  cells.commands!.append(make('span', { class: 'row-buttons' }, button));
  return (listener) => {
    shown = listener;
    setText(name, listener.name);
    setText(mode, listener.mode === 'l7' ? 'layer 7' : 'layer 4');
    setPill(pill, listener.drained ? 'draining' : 'open', listener.drained ? 'warn' : 'ok');
    setText(cells.address!, listener.address);
    setText(engine, listener.engine);
    setText(reason, listener.engineReason);
    setText(tls, listener.tls ? (listener.certificates.length === 0 ? 'yes' : '') : 'no');
    list.show(listener.certificates);
    setShown(certificates, listener.certificates.length > 0);
    setText(cells.connections!, count(listener.connections));
    setText(button, listener.drained ? 'Undrain' : 'Drain');
    setAttribute(button, 'aria-label', `${button.textContent} listener ${listener.name}`);
  };
}

function certificateView(now: () => number): ItemView<Certificate> {
  const name = make('span', { class: 'address' });
  const end = make('span', { class: 'pill' });
  const node = make('li', {}, name, ' ', end);
  const update = ({ name: certificate, notAfter }: Certificate): void => {
    setText(name, certificate);
    const days = daysUntil(notAfter, now());
    if (days === null) setPill(end, notAfter, 'quiet');
    else if (days < 0) setPill(end, 'has ended', 'bad');
    else setPill(end, `ends in ${plural(days, 'day')}`, days < MIN_CERTIFICATE_DAYS ? 'warn' : 'quiet');
    setAttribute(end, 'title', notAfter);
  };
  return { node, update };
}
