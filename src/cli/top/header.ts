/** The top of the screen: the process, its totals and its alerts. */
import { age, bytes, percent, rate, seconds, whole } from './figures.ts';
import {
  cut,
  cutLine,
  lengthOf,
  span,
  type Line,
  type Span,
  type Style,
  type Symbols,
} from '../terminal/line.ts';
import type { LiveModel } from './rates.ts';

const CELL_WIDTH = 19;
const MAX_COLUMNS = 8;
/** Min width for {@link detailsOf}. On narrower screens the tables need the room. */
const WIDTH_OF_DETAILS = 79;
const MAX_CELL_WIDTH = 26;
/** Min used fraction of the buffer budget at which slow sessions are at risk. */
const FULL_SHARE = 0.8;

/** Notices about the display itself. */
export interface Notices {
  readonly paused: boolean;
  /** Why no new frames arrive. Null if they arrive. */
  readonly lost: string | null;
  /** Whether the process restarted a moment ago. */
  readonly restarted: boolean;
}

/** Returns the title line with the state of the process. */
export function titleLine(
  { frame }: LiveModel,
  { paused, lost }: Notices,
  width: number,
  symbols: Symbols,
): Line {
  const style: Style =
    lost !== null ? 'bad' : frame.state === 'ready' && frame.notReady === null ? 'good' : 'warn';
  const state =
    lost !== null
      ? 'LOST, trying again'
      : frame.state === 'ready' && frame.notReady !== null
        ? 'not ready'
        : frame.state;
  const time = paused ? 'PAUSED' : new Date(frame.at).toISOString().slice(11, 19) + 'Z';
  const facts = [`generation ${frame.generation}`, `up ${age(frame.uptimeSeconds)}`, `pid ${frame.pid}`];
  const room = width - time.length - 1;
  const left: Span[] = [
    span(cut(`sluice ${frame.version}`, room - state.length - 2, symbols), 'bold'),
    span('  '),
    span(state, style),
  ];
  for (const fact of facts) {
    if (lengthOf(left) + 2 + fact.length <= room) left.push(span(`  ${fact}`));
  }
  const used = lengthOf(left);
  return [
    ...left,
    span(' '.repeat(Math.max(1, width - used - time.length))),
    span(time, paused ? 'warn' : 'dim'),
  ];
}

/** Returns 2 to 4 lines of totals and rates, depending on the width. */
export function totalLines(model: LiveModel, width: number, symbols: Symbols): Line[] {
  const cells = [...totalsOf(model), ...(width >= WIDTH_OF_DETAILS ? detailsOf(model) : [])];
  const columns = Math.max(1, Math.min(MAX_COLUMNS, Math.floor((width + 1) / (CELL_WIDTH + 1))));
  const cellWidth = Math.min(MAX_CELL_WIDTH, Math.floor((width + 1) / columns) - 1);
  const lines: Line[] = [];
  for (let first = 0; first < cells.length; first += columns) {
    const spans = cells.slice(first, first + columns).flatMap(({ label, value, style }): Span[] => {
      const text = cut(value, cellWidth - label.length - 1, symbols);
      const gap = ' '.repeat(Math.max(1, cellWidth - label.length - text.length) + 1);
      return [span(`${label} `, 'dim'), span(text, style), span(gap.slice(1))];
    });
    lines.push(cutLine(spans, width, symbols));
  }
  return lines;
}

/** Returns one line with all alerts. Empty if there are none. */
export function alertLine({ frame }: LiveModel, notices: Notices, width: number, symbols: Symbols): Line {
  const texts: Span[] = [];
  if (notices.lost !== null) texts.push(span(notices.lost, 'bad'));
  if (notices.restarted) texts.push(span('the proxy was restarted', 'warn'));
  if (frame.notReady !== null) texts.push(span(`not ready: ${frame.notReady}`, 'warn'));
  if (!frame.lastReloadSucceeded) texts.push(span('the last reload failed', 'bad'));
  for (const { scope, total, remaining } of frame.drains) {
    texts.push(span(`draining ${Object.values(scope).join(' ')}: ${remaining} of ${total} left`, 'warn'));
  }
  if (frame.needsRestart.length > 0) {
    texts.push(span(`restart to bring into force: ${frame.needsRestart.join(', ')}`, 'warn'));
  }
  const spans = texts.flatMap((text, place) => (place === 0 ? [text] : [span(' | ', 'dim'), text]));
  return cutLine(spans, width, symbols);
}

interface Total {
  readonly label: string;
  readonly value: string;
  readonly style: Style;
}

function total(label: string, value: string, style: Style = 'bold'): Total {
  return { label, value, style };
}

/** Returns 12 totals: the narrowest screen has 4 lines of 3. */
function totalsOf({ frame, rates }: LiveModel): Total[] {
  const { gauges, handshakeSeconds } = frame;
  const share = gauges.bufferBudgetBytes === 0 ? null : gauges.bufferedBytes / gauges.bufferBudgetBytes;
  return [
    total('sessions', whole(gauges.sessions)),
    total('handshakes/s', rate(rates.handshakes)),
    total('handshake p50', seconds(handshakeSeconds?.p50 ?? null)),
    total('tunnels', whole(gauges.tunnels)),
    total('messages/s', rate(rates.messages)),
    total('handshake p99', seconds(handshakeSeconds?.p99 ?? null)),
    total('connections', whole(gauges.connections)),
    total('bytes/s', bytes(rates.bytes)),
    total('errors/s', rate(rates.errors), (rates.errors ?? 0) > 0 ? 'bad' : 'bold'),
    total('memory', bytes(gauges.residentBytes)),
    total('requests/s', rate(rates.requests)),
    total(
      'buffers',
      `${percent(share)} of ${bytes(gauges.bufferBudgetBytes)}`,
      share !== null && share >= FULL_SHARE ? 'bad' : 'bold',
    ),
  ];
}

/** Returns 4 more totals, which fit with 4, 6 or 8 columns. */
function detailsOf({ frame: { requestSeconds }, rates }: LiveModel): Total[] {
  return [
    total('accepts/s', rate(rates.connections)),
    total('tunnels/s', rate(rates.tunnels)),
    total('request p50', seconds(requestSeconds?.p50 ?? null)),
    total('request p99', seconds(requestSeconds?.p99 ?? null)),
  ];
}
