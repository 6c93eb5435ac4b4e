import type { NextTurn } from '../../core/timing/slices.ts';
import { TICK_MS, Timed, type TimerWheel } from '../../core/timing/timer-wheel.ts';
import type { TapCommand, TapOrder, TapReport } from '../../protocol/tap.ts';
import type { SessionTap, TappedSession, TappedTunnel, Taps, TunnelTap } from '../../telemetry/tap/tap.ts';
import { threadCpuClock } from '../../sys/thread-cpu-clock.ts';
import type { SecretNames } from '../../wire/redaction/secret-names.ts';
import { compileRedaction } from '../../wire/redaction/redaction.ts';
import { factsOf, type OpenGroup, type OpenSession, type OpenTunnel } from './open-connections.ts';
import { PacedWalks, type Walk } from './paced-walks.ts';
import { RunningTap } from './running-tap.ts';
import { fitsSession, fitsTunnel } from './tap-filter.ts';
import { TapState, type TapClock, type TapCounters } from './tap-state.ts';
import { lineStart, sessionLine, tunnelLine } from './tap-lines.ts';
import { MAX_PIECE_MS } from './watched/event-queue.ts';
import { WatchedSession } from './watched/watched-session.ts';
import { WatchedTunnel } from './watched/watched-tunnel.ts';

/** Sessions to visit in a step of a walk. */
const WALK_STEP = 4;

/** Snapshot of a group's open connections. */
interface OpenList {
  readonly group: OpenGroup;
  readonly sessions: readonly OpenSession[];
  readonly tunnels: readonly OpenTunnel[];
}

/** The service of a worker whose sessions and tunnels the taps find. */
export interface TappedService {
  readonly sessions: () => Iterable<OpenGroup>;
  /** Lets the service's connections be served between two parts of long work. */
  readonly nextTurn: NextTurn;
}

interface WorkerTapsParts {
  /** Identifies this run of the worker in the ids of sessions. */
  readonly run: string;
  /** Whether the worker has sessions. Redaction rules never apply to tunnels. */
  readonly hasSessions: boolean;
  readonly wheel: TimerWheel;
  /** Returns the worker's service. Not called before the service exists. */
  readonly service: () => TappedService;
  readonly counters: TapCounters;
  /** Names of secrets in handshakes. */
  readonly secretNames: SecretNames;
  /** Receives the lines of a tap. */
  readonly send: (report: TapReport) => void;
  /** Called with exceptions from the code of taps, at most once per tick. The affected watch ends. */
  readonly onFault: (error: unknown) => void;
  readonly clock?: TapClock;
  /** Max budgets of CPU time saved up for sudden work. */
  readonly savedTicks?: number;
  /** Returns a number from 0 to 1, to sample sessions. */
  readonly random?: () => number;
}

/**
 * The taps of a worker. They share a budget of CPU time per tick of the wheel. They work in short pieces: in
 * each tick, and more often while events arrive.
 */
export class WorkerTaps extends Timed implements Taps {
  readonly secretNames: SecretNames;
  readonly #hasSessions: boolean;
  readonly #wheel: TimerWheel;
  readonly #send: (report: TapReport) => void;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #state: TapState;
  /** By id. */
  readonly #taps = new Map<string, RunningTap>();
  readonly #walks: PacedWalks;
  readonly #service: () => TappedService;
  #hasTurn = false;
  #lastTunnel = 0;

  /** @param orders taps that are already running */
  constructor(parts: WorkerTapsParts, orders: readonly TapOrder[]) {
    super();
    const { run, wheel, counters, secretNames, send, onFault, random = Math.random } = parts;
    const { clock = threadClock(), savedTicks } = parts;
    this.secretNames = secretNames;
    this.#hasSessions = parts.hasSessions;
    this.#wheel = wheel;
    this.#send = send;
    this.#service = parts.service;
    this.#random = random;
    this.#now = clock.now;
    this.#state = new TapState(run, counters, clock, savedTicks, (now) => void this.#work(now), onFault);
    this.#walks = new PacedWalks(clock, (error) => this.#state.fault(error));
    for (const order of orders) this.#start(order);
  }

  get isOn(): boolean {
    return this.#taps.size > 0;
  }

  watchSession(session: TappedSession): SessionTap | null {
    return this.#contained(() => this.#watchSession(session));
  }

  watchTunnel(tunnel: TappedTunnel): TunnelTap | null {
    return this.#contained(() => this.#watchTunnel(tunnel));
  }

  /** Returns null after an exception: the opening session or tunnel must not notice. */
  #contained<Tap>(watch: () => Tap | null): Tap | null {
    try {
      return watch();
    } catch (error) {
      this.#state.fault(error);
      return null;
    }
  }

  #watchSession(session: TappedSession): SessionTap | null {
    const id = this.#idOf(session.number);
    const taps = this.#choose((tap) => fitsSession(tap.order.filter, session, id));
    if (taps === null) return null;
    const watched = new WatchedSession(this.#state, id, session.extensions, true);
    watched.expect(taps.map((tap) => ({ tap, opening: sessionLine(session, id, tap.secrets) })));
    this.#state.openings.end();
    return watched;
  }

  #watchTunnel(tunnel: TappedTunnel): TunnelTap | null {
    const taps = this.#choose((tap) => fitsTunnel(tap.order.filter, tunnel));
    if (taps === null) return null;
    const id = this.#newTunnelId();
    const opening = tunnelLine(tunnel, id, false);
    const watched = new WatchedTunnel(this.#state, id);
    watched.expect(taps.map((tap) => ({ tap, opening })));
    this.#state.openings.end();
    return watched;
  }

  /** Handles a message from the primary about taps. */
  handle(command: TapCommand): void {
    const sessions = this.#service().sessions();
    switch (command.type) {
      case 'tap_start':
        this.#walks.add(this.#walk(sessions, this.#start(command.order)));
        break;
      case 'tap_stop':
        // Removes the watchers of sessions that no tap watches any more.
        if (this.#stop(command.id)) this.#walks.add(this.#walk(sessions, null));
    }
  }

  /** Sends the last lines, because the worker ends. */
  flush(): void {
    this.#state.events.handleUntil(Infinity);
    for (const tap of this.#taps.values()) tap.end();
  }

  override expire(): void {
    const { events } = this.#state;
    this.#state.renew();
    this.#walks.renew();
    if (!this.#hasTurn) this.#takeTurn();
    for (const tap of this.#taps.values()) tap.tick();
    if (this.#taps.size > 0 || !this.#walks.isEmpty || !events.isEmpty) this.#wheel.arm(this, TICK_MS);
    else events.free();
  }

  /** Does a piece of work. Returns false if more is left for this tick. */
  #work(now: number): boolean {
    // Events come first: a tap that finds a session must not get its earlier frames.
    return (
      this.#state.events.handleUntil(now + MAX_PIECE_MS) && this.#walks.continueUntil(now + MAX_PIECE_MS)
    );
  }

  /** Works until the end of a tick's work, in pieces between which the worker's connections are served. */
  #takeTurn(): void {
    this.#hasTurn = false;
    if (this.#work(this.#now())) return;
    this.#hasTurn = true;
    this.#service().nextTurn(() => this.#takeTurn());
  }

  #start(order: TapOrder): RunningTap {
    this.#stop(order.id);
    // Compiling loads the packages it needs, which blocks the thread.
    const hasRules = order.redact.length > 0 && this.#hasSessions;
    const redaction = hasRules ? compileRedaction(order.redact) : null;
    const tap = new RunningTap(order, redaction, this.secretNames, { now: this.#now, send: this.#send });
    this.#taps.set(order.id, tap);
    this.#arm();
    return tap;
  }

  /** Ends a tap. Returns false if there is no tap with this id. */
  #stop(id: string): boolean {
    const tap = this.#taps.get(id);
    if (tap === undefined) return false;
    tap.isOver = true;
    this.#taps.delete(id);
    this.#state.endedTaps++;
    this.#arm();
    return true;
  }

  #arm(): void {
    if (this.wheelTick < 0) this.#wheel.arm(this, TICK_MS);
  }

  /**
   * Chooses the taps for a new session or tunnel, and starts a piece of work for it.
   *
   * @returns null without such taps or CPU time; then no work was started
   */
  #choose(fits: (tap: RunningTap) => boolean): readonly RunningTap[] | null {
    let chosen: readonly RunningTap[] | null = null;
    for (const tap of this.#taps.values()) {
      if (!fits(tap) || !this.#draws(tap)) continue;
      chosen = chosen === null ? tap.alone : [...chosen, tap];
    }
    if (chosen === null || this.#state.beginOpening()) return chosen;
    for (const tap of chosen) tap.loseSession();
    return null;
  }

  #draws({ order: { sample } }: RunningTap): boolean {
    return sample >= 1 || this.#random() < sample;
  }

  #idOf(number: number): string {
    return `${this.#state.run}-${number}`;
  }

  #newTunnelId(): string {
    return `${this.#state.run}-t${++this.#lastTunnel}`;
  }

  /**
   * Walks over the currently open sessions. Pauses after every few, and while the tap has no room for lines.
   * Also removes the watchers of sessions that no tap watches any more.
   *
   * @param tap the tap that wants the sessions; null to only remove watchers
   */
  #walk(groups: Iterable<OpenGroup>, tap: RunningTap | null): Walk {
    // A snapshot: newer sessions are offered to the taps when they open.
    const lists = Array.from(groups, (group) => {
      return { group, sessions: [...group.sessions], tunnels: [...group.tunnels] };
    });
    return this.#steps(lists, tap);
  }

  *#steps(lists: readonly OpenList[], tap: RunningTap | null): Walk {
    let count = 0;
    for (const { group, sessions, tunnels } of lists) {
      for (const session of sessions) {
        if (session.tap instanceof WatchedSession && session.tap.isUnused) session.tap = null;
        if (tap !== null && !tap.isOver && !session.hasEnded) this.#visit(session, group, tap);
        if (++count % WALK_STEP === 0) yield* rest(tap);
      }
      for (const tunnel of tunnels) {
        if (tunnel.tap instanceof WatchedTunnel && tunnel.tap.isUnused) tunnel.tap = null;
        if (tap !== null && !tap.isOver) this.#visitTunnel(tunnel, tap);
        if (++count % WALK_STEP === 0) yield* rest(tap);
      }
    }
  }

  #visit(session: OpenSession, group: OpenGroup, tap: RunningTap): void {
    const facts = factsOf(session, group);
    const id = this.#idOf(session.number);
    if (!fitsSession(tap.order.filter, facts, id) || !this.#draws(tap)) return;
    const known = session.tap instanceof WatchedSession ? session.tap : null;
    const watched = known ?? new WatchedSession(this.#state, id, facts.extensions, false);
    watched.attach(tap, lineStart('session', this.#state.at()) + sessionLine(facts, id, tap.secrets));
    if (known === null && !watched.isUnused) session.tap = watched;
  }

  #visitTunnel(tunnel: OpenTunnel, tap: RunningTap): void {
    const { place } = tunnel;
    if (place === null || !fitsTunnel(tap.order.filter, place) || !this.#draws(tap)) return;
    const known = tunnel.tap instanceof WatchedTunnel ? tunnel.tap : null;
    const watched = known ?? new WatchedTunnel(this.#state, this.#newTunnelId());
    watched.attach(tap, lineStart('tunnel', this.#state.at()) + tunnelLine(place, watched.id, true));
    if (known === null && !watched.isUnused) tunnel.tap = watched;
  }
}

function threadClock(): TapClock {
  return { now: () => performance.now(), cpu: threadCpuClock(), origin: performance.timeOrigin };
}

function* rest(tap: RunningTap | null): Walk {
  yield 'more';
  while (tap !== null && !tap.isOver && !tap.hasRoom) yield 'full';
}
